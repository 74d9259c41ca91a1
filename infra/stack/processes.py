"""Processes of one installation, found by a marker that they all inherit, even when orphaned.

stop_all(home)     # nothing that carries the marker of `home` is left
"""

import contextlib
import time
from pathlib import Path

import psutil

from infra.errors import Unavailable
from infra.stack import launch

MARKER = launch.STACK

_ROUNDS = 5


def marked(home: Path) -> list[psutil.Process]:
    """Every living process that carries the marker of `home`, except this one and its ancestors."""
    spared = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid in spared:
            continue
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARKER) == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def stop_all(home: Path, *, patience_s: float = 5.0) -> int:
    """End every marked process, politely first; returns how many there were.

    Raises Unavailable when some survive SIGKILL. Several rounds, because a process may have forked
    between the look and the signal.
    """
    ended = 0
    for _ in range(_ROUNDS):
        found = marked(home)
        if not found:
            return ended
        ended += len(found)
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        _, alive = psutil.wait_procs(found, timeout=patience_s)
        for process in alive:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(alive, timeout=patience_s)
    if left := marked(home):
        raise Unavailable(
            f"{len(left)} processes do not end: pids {', '.join(str(p.pid) for p in left)}",
            hint="end them by hand, then run `assay down` again",
        )
    return ended


def wait_gone(pid: int, timeout_s: float) -> bool:
    """Wait for a process (not only a child) to end; whether it did."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def started_at(pid: int) -> float | None:
    """When a process started (seconds since the epoch), or None when it is gone."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return None
