"""One child process with a deadline: offline, one thread, its own group, nothing of it left afterwards.

ended = run_child(["job.json"], log=home / "logs" / "checks" / "security.log", deadline_s=40)
ended.problem        # "" for exit code 0, else what happened in words
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from infra.config.environment import force_offline

_KILL_S = 5.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Ended:
    """How a child ended."""

    problem: str
    seconds: float


def run_child(job: Path, *, log: Path, deadline_s: float) -> Ended:
    """Wait for the check's process and end all of its group; its output is in `log`.

    Raises OSError when no process can be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    started = time.monotonic()
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tasks.validate.runner.child", str(job)],
            stdin=subprocess.PIPE,  # held open, never written: its end tells the child that we are gone
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(),
            start_new_session=True,
        )
        try:
            problem = _problem(process.wait(deadline_s))
        except subprocess.TimeoutExpired:
            problem = f"did not end within {deadline_s:g} s"
        finally:
            _end(process)
    return Ended(problem, time.monotonic() - started)


def child_environment() -> dict[str, str]:
    """This process's environment, off the network and with one thread for every numeric library."""
    environment = dict(os.environ)
    force_offline(environment)
    return environment | dict.fromkeys(_THREADS, "1") | {
        "OMP_WAIT_POLICY": "PASSIVE",
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONHASHSEED": "0",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def _problem(code: int) -> str:
    if code == 0:
        return ""
    if code > 0:
        return f"ended with exit code {code}"
    name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
    return f"was ended by {name}{' (out of memory?)' if name == 'SIGKILL' else ''}"


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill what is left: the group, and descendants that left the group."""
    import contextlib

    import psutil

    descendants: list[psutil.Process] = []
    with contextlib.suppress(psutil.Error):
        descendants = psutil.Process(process.pid).children(recursive=True)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for each in descendants:
        with contextlib.suppress(psutil.Error):
            each.kill()
    process.wait()
    _await_end(process.pid)
    if process.stdin is not None:
        process.stdin.close()


def _await_end(group: int) -> None:
    """Until the killed ones are gone: a signal is sent sooner than it is obeyed; zombies are gone enough."""
    deadline = time.monotonic() + _KILL_S
    while time.monotonic() < deadline and _runs(group):
        time.sleep(0.01)


def _runs(group: int) -> bool:
    import psutil

    for process in psutil.process_iter(["status"]):
        try:
            if process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group:
                return True
        except (ProcessLookupError, PermissionError):
            continue
    return False
