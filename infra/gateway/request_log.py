"""One line for each request, without any text of it: written by a thread, never silently dropped.

log = RequestLog(home / "audit"); log.start()
if log.admits(): ...                 # False: the disk or the thread is behind, refuse the request
log.write(Line(...))
"""

import contextlib
import logging
import os
import queue
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

Outcome = Literal[
    "ok",
    "blocked_input",
    "blocked_output",
    "denied",
    "invalid",
    "rate_limited",
    "upstream_error",
    "client_gone",
]
_MOST_WAITING = 10_000
_MOST_IN_BATCH = 512
_RETRY_S = 0.5
# One fdatasync for what came within this time: a sync for each line would be the slowest part of all.
_GATHER_S = 0.005
log = logging.getLogger("assay.gateway")


class Line(msgspec.Struct):
    """What is kept of a request; `key` is the key's public id, `model` the name that the client asked for."""

    time: datetime
    id: str
    key: str | None = None
    model: str | None = None
    release: str | None = None
    status: int = 500
    outcome: Outcome = "upstream_error"
    rule: str | None = None
    stream: bool = False
    latency_ms: float = 0.0
    ttft_ms: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class RequestLog:
    """Appends to `requests-YYYYMMDD.jsonl` (UTC day of writing), fdatasync after each batch."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.failure = ""
        """Why lines cannot be written at the moment, or empty."""
        self._queue: queue.SimpleQueue[Line | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._handle: int | None = None
        self._day = ""

    def start(self) -> None:
        """Open today's file and start the thread; raises OSError when the directory cannot be used."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open(_today())
        self._thread.start()

    def admits(self) -> bool:
        """Whether another request can be recorded."""
        return not self.failure and self._thread.is_alive() and self._queue.qsize() < _MOST_WAITING

    @property
    def waiting(self) -> int:
        """Lines that are not on disk yet."""
        return self._queue.qsize()

    def write(self, line: Line) -> None:
        """Hand a line to the thread; does not block."""
        self._queue.put(line)

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what is waiting and stop."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout_s)
        if self._thread.is_alive() or self._queue.qsize():
            log.error("request log: %d lines were not written: %s", self._queue.qsize(), self.failure)

    def _run(self) -> None:
        encode = msgspec.json.Encoder().encode
        more = True
        while more:
            lines = [self._queue.get()]
            if lines[0] is not None:
                time.sleep(_GATHER_S)
            with contextlib.suppress(queue.Empty):
                while len(lines) < _MOST_IN_BATCH:
                    lines.append(self._queue.get_nowait())
            more = None not in lines
            self._append(b"".join(encode(line) + b"\n" for line in lines if line is not None))

    def _append(self, data: bytes) -> None:
        while data:
            try:
                self._append_once(data)
                if self.failure:
                    log.info("request log: works again")
                self.failure = ""
                return
            except OSError as error:
                if not self.failure:
                    log.error("request log: %s; requests are refused until it works", error)
                self.failure = str(error)
                time.sleep(_RETRY_S)

    def _append_once(self, data: bytes) -> None:
        if (day := _today()) != self._day or self._handle is None:
            self._open(day)
        assert self._handle is not None
        end = os.lseek(self._handle, 0, os.SEEK_END)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._handle, view) :]
            os.fdatasync(self._handle)
        except OSError:
            os.ftruncate(self._handle, end)  # all lines of a batch, or none: they are written again
            raise

    def _open(self, day: str) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        path = self.directory / f"requests-{day}.jsonl"
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._day = day
        size = os.fstat(self._handle).st_size
        if size and os.pread(self._handle, 1, size - 1) != b"\n":
            os.write(self._handle, b"\n")  # a line torn by a kill must not swallow the next one


def _today() -> str:
    return datetime.now(UTC).strftime("%Y%m%d")
