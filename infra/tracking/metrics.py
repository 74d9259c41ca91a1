"""Live metrics of a training loop: kept in memory, written to MLflow by a background thread.

with run.live_metrics() as live:
    live.log(step, {"loss": 0.4})       # microseconds; the loop never waits for a server
"""

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from infra.errors import AssayError

Point = tuple[str, float, int, int]
"""Name, value, step, time in ms since the epoch."""
_FLUSH_S = 2.0


@dataclass
class MetricBuffer:
    """Points on their way to MLflow; a background thread writes them, so that training never waits.

    While MLflow is away the points are kept. Only `close` raises Unavailable.
    """

    write: Callable[[list[Point]], None]
    flush_s: float = _FLUSH_S
    _points: list[Point] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _writer: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="metrics")
    )
    _writing: "Future[None] | None" = None
    _last_s: float = field(default_factory=time.monotonic)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep one value for each metric; takes microseconds."""
        moment = now_ms()
        with self._lock:
            self._points += [(name, value, step, moment) for name, value in values.items()]
        idle = self._writing is None or self._writing.done()
        if idle and time.monotonic() - self._last_s >= self.flush_s:
            self._last_s = time.monotonic()
            self._writing = self._writer.submit(self._try_to_write)

    def close(self) -> None:
        """Write what is left; raises Unavailable when it cannot be written."""
        self._writer.shutdown(wait=True)
        self._write()

    def _try_to_write(self) -> None:
        with contextlib.suppress(AssayError):
            self._write()

    def _write(self) -> None:
        with self._lock:
            points, self._points = self._points, []
        try:
            if points:
                self.write(points)
        except BaseException:
            with self._lock:
                self._points = points + self._points
            raise


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
