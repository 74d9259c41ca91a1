"""The most memory that a piece of work took, above what the process held before it.

with peak_memory() as peak:
    loaded = load_base(path)
peak.bytes
"""

import ctypes
import gc
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")


@dataclass
class Peak:
    """Filled in when the block ends."""

    bytes: int = 0


@contextmanager
def peak_memory() -> Iterator[Peak]:
    """Resident memory at its highest inside the block, less that before; other threads count too.

    Linux resets and reads the process's own high-water mark. Elsewhere the mark cannot be reset: work
    that stays below an earlier peak reads as 0.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # what an earlier model left behind is not this one's
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets VmHWM
    before = _kibibytes("VmRSS") or _mark()
    peak = Peak()
    try:
        yield peak
    finally:
        peak.bytes = max(0, (_kibibytes("VmHWM") or _mark()) - before) * 1024


def _kibibytes(name: str) -> int:
    try:
        lines = _STATUS.read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def _mark() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most
