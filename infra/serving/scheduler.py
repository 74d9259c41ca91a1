"""Requests gathered into batches: one thread decodes, a full queue refuses, one model at a time.

scheduler = Scheduler(max_batch=8, window_s=0.005, max_queue=64); scheduler.start()
scheduler.submit(decoder, job)        # QueueFullError when too many wait
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from infra.errors import Unavailable
from infra.serving.job import Job

log = logging.getLogger("assay.serving")


class Decodes(Protocol):
    """What turns prompts into answers, all at once."""

    def decode(self, jobs: Sequence[Job]) -> None:
        """Finish every job that is not cancelled."""


class QueueFullError(Unavailable):
    """Raised when as many requests wait as may wait."""


class Scheduler:
    """The queue and its thread."""

    def __init__(
        self,
        *,
        max_batch: int,
        window_s: float,
        max_queue: int,
        on_batch: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self.max_batch, self.window_s, self.max_queue = max_batch, window_s, max_queue
        self._on_batch = on_batch
        self._waiting: deque[tuple[Decodes, Job]] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="decode", daemon=True)

    def start(self) -> None:
        """Start the decoding thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the batch in progress; what waits is refused."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(10)
        for _, job in self._waiting:
            job.put(Unavailable("the model server stops"))

    @property
    def waiting(self) -> int:
        """Jobs that no batch has taken yet."""
        return len(self._waiting)

    def submit(self, decoder: Decodes, job: Job) -> None:
        """Queue a job; raises QueueFullError, Unavailable when the server stops."""
        with self._changed:
            if self._stopped:
                raise Unavailable("the model server stops")
            if len(self._waiting) >= self.max_queue:
                raise QueueFullError(f"{self.max_queue} requests wait already", hint="try again in a second")
            self._waiting.append((decoder, job))
            self._changed.notify_all()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            decoder, jobs = batch
            self._on_batch(len(jobs))
            try:
                decoder.decode(jobs)
            except Exception as error:
                log.exception("a batch of %d failed", len(jobs))
                for job in jobs:
                    job.put(error)

    def _next_batch(self) -> tuple[Decodes, list[Job]] | None:
        with self._changed:
            while not self._waiting and not self._stopped:
                self._changed.wait()
            if self._stopped:
                return None
            decoder = self._waiting[0][0]
            until = time.monotonic() + self.window_s
            while (left := until - time.monotonic()) > 0 and self._count(decoder) < self.max_batch:
                self._changed.wait(left)
            jobs: list[Job] = []
            others: deque[tuple[Decodes, Job]] = deque()
            for entry in self._waiting:
                if entry[0] is decoder and len(jobs) < self.max_batch:
                    jobs.append(entry[1])
                else:
                    others.append(entry)
            self._waiting = others
            return decoder, [job for job in jobs if not job.cancelled]

    def _count(self, decoder: Decodes) -> int:
        return sum(entry[0] is decoder for entry in self._waiting)
