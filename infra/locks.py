"""One run of a kind at a time: an advisory file lock that vanishes with its process.

with hold(home / "run", "lifecycle-triage", "assay run lifecycle"):
    ...
with hold(home / "run", "deploy-triage", "rollback", wait_s=60):    # an emergency waits its turn
    ...
with hold(home / "run", "store", "preparation of data", shared=True):    # beside others of its kind
    ...
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from infra.errors import Unavailable

_held: set[Path] = set()
_POLL_S = 0.1


@contextlib.contextmanager
def hold(
    directory: Path, name: str, holder: str, *, wait_s: float = 0, shared: bool = False
) -> Iterator[None]:
    """Hold the lock `name`, alone or beside others that share it; a hold within one held alone is allowed.

    Waits up to `wait_s` seconds for another process to let go; raises Unavailable that names it then.
    """
    key = directory.absolute() / name
    if key in _held:
        yield
        return
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(directory / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, time.monotonic() + wait_s, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        note = {
            "pid": os.getpid(),
            "holder": holder,
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(note).encode(), 0)
        if shared:  # whoever asks to be alone within has still to wait
            yield
            return
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)
    finally:
        os.close(handle)


def _take(handle: int, deadline: float, operation: int) -> None:
    while True:
        try:
            return fcntl.flock(handle, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"refused: {_describe(os.pread(handle, 4096, 0))} is at work on this",
                    hint="wait for it to end, then run again; finished steps are reused",
                ) from None
            time.sleep(_POLL_S)


def _describe(note: bytes) -> str:
    try:
        holder = json.loads(note)
        return f"{holder['holder']} (pid {holder['pid']}, since {holder['since']})"
    except (ValueError, KeyError, TypeError):
        return "another run"
