"""garak as a process group of its own: offline, away from the home directory, with limits in time and memory.

with Garak(executable, scratch, configuration, token, deadline_s=1500, most_memory_mb=6000) as garak:
    while garak.running():        # DataError: a limit was passed
        …
garak.report                      # what it left; whether that can be believed, `read` says

Its exit code says nothing: 0 for attacks that succeed, 0 for probes that it does not know.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from infra.errors import DataError
from tasks.validate.garak import watch
from tasks.validate.garak.plan import REPORT_PREFIX

_LOOK_EVERY_S = 1.0
_TAIL = 300


class Garak:
    """One run; leaving the block kills whatever is left of it."""

    def __init__(
        self,
        executable: Path,
        scratch: Path,
        configuration: Mapping[str, Any],
        token: str,
        *,
        deadline_s: float,
        most_memory_mb: float,
    ) -> None:
        self._command = [str(executable), "--config", str(scratch / "garak.json")]
        self._scratch, self._configuration, self._token = scratch, configuration, token
        self._deadline_s, self._most_memory_mb = deadline_s, most_memory_mb
        self._process: subprocess.Popen[bytes] | None = None
        self._ends = self._looked = 0.0

    @property
    def report(self) -> Path:
        """The report that it writes, line by line."""
        return self._scratch / f"{REPORT_PREFIX}.report.jsonl"

    def __enter__(self) -> Self:
        (self._scratch / "garak.json").write_text(json.dumps(self._configuration))
        with (self._scratch / "garak.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", watch.__file__, *self._command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(self._scratch, self._token),
                start_new_session=True,
            )
        self._ends = time.monotonic() + self._deadline_s
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()

    def running(self) -> bool:
        """Whether it is still at work; raises DataError when it takes too long or too much memory."""
        if self._process is None or self._process.poll() is not None:
            return False
        now = time.monotonic()
        if now > self._ends:
            raise DataError(
                f"garak was killed after {self._deadline_s:g} s, before it was done",
                hint=f"fewer `garak.prompts`, or a later `garak.deadline_s`; it said: {self.last_words()}",
            )
        if now - self._looked > _LOOK_EVERY_S:
            self._looked = now
            used = memory_mb(self._process.pid)
            if used > self._most_memory_mb:
                raise DataError(
                    f"garak was killed at {used:.0f} MB, the limit is {self._most_memory_mb:g} MB",
                    hint="fewer `garak.parallel`, or a higher `garak.most_memory_mb`",
                )
        return True

    def last_words(self) -> str:
        """The end of what it printed, for people."""
        try:
            text = (self._scratch / "garak.log").read_text(errors="replace")
        except OSError:
            return "nothing"
        lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
        return "".join(c for c in (lines[-1] if lines else "nothing") if c.isprintable())[-_TAIL:]


def environment(scratch: Path, token: str) -> dict[str, str]:
    """All that garak may know: nothing of ours but the way to the interpreter, and no way out."""
    nowhere = "http://127.0.0.1:9"  # the discard port: who tries to leave fails at once
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return kept | {
        "HOME": str(scratch),
        "XDG_DATA_HOME": str(scratch / "data"),
        "XDG_CACHE_HOME": str(scratch / "cache"),
        "XDG_CONFIG_HOME": str(scratch / "config"),
        "OPENAICOMPATIBLE_API_KEY": token,
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "NO_PROXY": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
    }


def memory_mb(pid: int) -> float:
    """Resident memory of a process and all below it; what has ended meanwhile counts nothing."""
    import psutil

    total = 0
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total / (1 << 20)
