"""Bring a stack up, look at it, take it down; any list of services, ours by default."""

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra.config import Project
from infra.errors import Unavailable
from infra.locks import hold
from infra.stack import processes, readiness, record
from infra.stack.ports import choose_ports
from infra.stack.record import Endpoints, Service, ServiceStatus, Stack, StackStatus
from infra.stack.services import ensure_internal_token, local_services, preferred_ports
from infra.stack.supervisor import ProcessInfo, Supervisor
from infra.stack.waiting import OnReady, wait_ready

_log = logging.getLogger("assay.stack")
_LOCK_POLL_S = 0.2
# Another `up` may be bringing up everything on a slow machine.
_LOCK_S = 300.0


@dataclass(frozen=True)
class Blueprint:
    """What to bring up: `services` builds the list once the ports are known."""

    home: Path
    preferred: Mapping[str, int]
    services: Callable[[Mapping[str, int]], tuple[Service, ...]]
    host: str = "127.0.0.1"
    fixed: bool = False


def up(project: Project, *, on_ready: OnReady | None = None) -> Endpoints:
    """Bring up the project's services and wait until each has answered a real call.

    Does nothing when they run already. `on_ready(name, seconds)` is called as each becomes ready.
    Raises ConfigError (port taken and fixed), Unavailable (a service does not come up, with its log).
    """
    ensure_internal_token(project.home)
    blueprint = Blueprint(
        home=project.home,
        preferred=preferred_ports(project),
        services=lambda ports: local_services(project, ports),
        host=project.ports.host,
        fixed=project.ports.fixed,
    )
    return record.endpoints_of(bring_up(blueprint, on_ready=on_ready))


def endpoints(home: Path) -> Endpoints:
    """The addresses of the running stack; raises Unavailable when it does not run."""
    home = home.resolve()
    stack = record.read(home)
    if stack is None or stack.supervisor_pid is None or not Supervisor(home).answers():
        raise Unavailable(f"the services of {home} do not run", hint=record.NOT_RUNNING)
    return record.endpoints_of(stack)


def bring_up(blueprint: Blueprint, *, on_ready: OnReady | None = None) -> Stack:
    """`up` for any services: start what is missing, restart what changed, wait for all."""
    home = blueprint.home.resolve()
    with _alone(home, "assay up"):
        supervisor = Supervisor(home)
        if supervisor.answers():
            stack = _adopt(blueprint, home, supervisor)
        else:
            stack = _start(blueprint, home, supervisor)
        wait_ready(stack, supervisor, on_ready)
        return stack


def down(home: Path) -> bool:
    """Stop everything that belongs to `home`, also orphans; whether anything ran.

    Raises Unavailable when a process survives SIGKILL.
    """
    home = home.resolve()
    with _alone(home, "assay down"):
        supervisor, stack = Supervisor(home), record.read(home)
        ran = supervisor.answers()
        if ran:
            _stop_supervisor(supervisor, stack)
        ran = processes.stop_all(home) > 0 or ran
        supervisor.socket.unlink(missing_ok=True)
        if stack is not None:
            record.write(stack.stopped())
        return ran


def status(home: Path) -> StackStatus:
    """Every service as it is now, each asked by its real call."""
    home = home.resolve()
    stack, supervisor = record.read(home), Supervisor(home)
    if stack is None:
        return StackStatus(running=supervisor.answers(), services=())
    try:
        found, running = supervisor.processes(), True
    except Unavailable:
        found, running = {}, False
    starts = _starts(home)
    with ThreadPoolExecutor(max_workers=max(1, len(stack.services))) as pool:
        reasons = pool.map(lambda s: readiness.not_ready(s, found.get(s.name)), stack.services)
    services = tuple(
        _status_of(home, service, found.get(service.name), reason, starts.get(service.name, 0))
        for service, reason in zip(stack.services, reasons, strict=True)
    )
    return StackStatus(running=running, services=services)


def _status_of(
    home: Path, service: Service, process: ProcessInfo | None, reason: str, starts: int
) -> ServiceStatus:
    return ServiceStatus(
        name=service.name,
        state=process.state if process else "STOPPED",
        pid=process.pid if process else None,
        url=service.url,
        ready=not reason,
        restarts=max(0, starts - 1) if process else 0,
        log=record.log_file(home, service.name),
        reason=reason,
    )


@contextlib.contextmanager
def _alone(home: Path, holder: str) -> Iterator[None]:
    deadline = time.monotonic() + _LOCK_S
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(hold(record.run_directory(home), "stack", holder))
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOCK_POLL_S)
        yield


def _start(blueprint: Blueprint, home: Path, supervisor: Supervisor) -> Stack:
    # Orphans of a supervisor that was killed hold ports and databases: they go first.
    if orphans := processes.stop_all(home):
        _log.warning("ended %d processes that a killed supervisor had left behind", orphans)
    services = blueprint.services(_ports(blueprint, record.read(home)))
    pid = supervisor.start(services)
    stack = Stack(home, services, dict(blueprint.preferred), pid)
    record.write(stack)
    return stack


def _ports(blueprint: Blueprint, earlier: Stack | None) -> dict[str, int]:
    remembered = {
        name: port
        for name, port in (earlier.ports if earlier else {}).items()
        if earlier and earlier.preferred.get(name) == blueprint.preferred.get(name)
    }
    return choose_ports(blueprint.host, blueprint.preferred, remembered=remembered, fixed=blueprint.fixed)


def _adopt(blueprint: Blueprint, home: Path, supervisor: Supervisor) -> Stack:
    stack = record.read(home)
    if stack is None or dict(stack.preferred) != dict(blueprint.preferred):
        # Other ports are asked for: everything that talks to a moved service changes with it.
        _stop_supervisor(supervisor, stack)
        return _start(blueprint, home, supervisor)
    services = blueprint.services(stack.ports)
    if supervisor.write(services):
        supervisor.apply()
        stack = Stack(home, services, stack.preferred, stack.supervisor_pid)
        record.write(stack)
    for name, process in supervisor.processes().items():
        if process.state in ("EXITED", "FATAL"):
            supervisor.start_service(name)
    return stack


def _stop_supervisor(supervisor: Supervisor, stack: Stack | None) -> None:
    patience = max((service.stop_s for service in stack.services), default=10) if stack else 10
    pid = stack.supervisor_pid if stack else None
    with contextlib.suppress(Unavailable):
        supervisor.stop()
    if pid is not None:
        processes.wait_gone(pid, patience + 5.0)


_SPAWNED = re.compile(r"(spawned): '([^']+)' with pid|(supervisord started)")


def _starts(home: Path) -> dict[str, int]:
    """How often each service was started since the supervisor's own start, from the supervisor's log."""
    log = record.log_file(home, "supervisord")
    counts: dict[str, int] = {}
    for file in (log.with_name(log.name + ".1"), log):
        with contextlib.suppress(OSError):
            for match in _SPAWNED.finditer(file.read_text(encoding="utf-8", errors="replace")):
                if match[3]:
                    counts = {}
                else:
                    counts[match[2]] = counts.get(match[2], 0) + 1
    return counts
