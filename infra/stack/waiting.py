"""Wait until every service of a stack answers, starting each once what it needs is ready."""

import logging
import time
from collections.abc import Callable

from infra.errors import Unavailable
from infra.stack import readiness, record
from infra.stack.record import Service, Stack
from infra.stack.supervisor import ProcessInfo, Supervisor

_log = logging.getLogger("assay.stack")
_POLL_S = 0.2
# Once for the start, once for a port lost in a race, once for bad luck.
_MOST_STARTS = 3

OnReady = Callable[[str, float], None]


def wait_ready(stack: Stack, supervisor: Supervisor, on_ready: OnReady | None = None) -> None:
    """Return when all are ready; raises Unavailable with the log's end for one that does not come up.

    `on_ready(name, seconds)` is called as each becomes ready.
    """
    begin = time.monotonic()
    waits = {service.name: _Wait(stack, service, supervisor) for service in stack.services}
    while waits:
        found = supervisor.processes()
        for name, wait in tuple(waits.items()):
            if wait.service.after not in waits and wait.is_over(found.get(name)):
                del waits[name]
                seconds = time.monotonic() - begin
                _log.info("%s is ready after %.1f s", name, seconds)
                if on_ready is not None:
                    on_ready(name, seconds)
        if waits:
            time.sleep(_POLL_S)


class _Wait:
    """The wait for one service; its clock runs from the first look."""

    def __init__(self, stack: Stack, service: Service, supervisor: Supervisor) -> None:
        self.service = service
        self._log_file = record.log_file(stack.home, service.name)
        self._supervisor = supervisor
        self._since: float | None = None
        self._pids: set[int] = set()

    def is_over(self, process: ProcessInfo | None) -> bool:
        """Whether the service is ready now; raises Unavailable when it never will be."""
        self._since = self._since or time.monotonic()
        if process is None or process.state == "STOPPED":
            self._supervisor.start_service(self.service.name)
            return False
        if process.pid:
            self._pids.add(process.pid)
        reason = readiness.not_ready(self.service, process)
        if not reason:
            return True
        waited_s = time.monotonic() - self._since
        if process.state == "FATAL" or len(self._pids) > _MOST_STARTS:
            raise self._failure(f"keeps dying: {reason}")
        if waited_s > self.service.ready_s:
            raise self._failure(f"is not ready after {waited_s:.0f} s: {reason}")
        return False

    def _failure(self, what: str) -> Unavailable:
        log = self._log_file
        return Unavailable(
            f"{self.service.name} {what}\n  last lines of {log}:\n{readiness.last_lines(log)}",
            hint=f"the whole log is {log}; `assay down` stops the other services",
        )
