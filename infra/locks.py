"""One run of a kind at a time: an advisory file lock that vanishes with its process.

with hold(home / "run", "lifecycle-triage", "assay run lifecycle"):
    ...
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from infra.errors import Unavailable

_held: set[Path] = set()


@contextlib.contextmanager
def hold(directory: Path, name: str, holder: str) -> Iterator[None]:
    """Hold the lock `name`; nested holds in one process are allowed.

    Raises Unavailable that names the holder when another process has it.
    """
    key = directory.absolute() / name
    if key in _held:
        yield
        return
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"refused: {_describe(os.pread(handle, 4096, 0))} is at work on this",
                hint="wait for it to end, then run again; finished steps are reused",
            ) from None
        note = {
            "pid": os.getpid(),
            "holder": holder,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)
    finally:
        os.close(handle)


def _describe(note: bytes) -> str:
    try:
        holder = json.loads(note)
        return f"{holder['holder']} (pid {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "another run"
