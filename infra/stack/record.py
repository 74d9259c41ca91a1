"""What a stack is made of, as data, and `run/stack.json`, which outlives the process that wrote it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from infra import atomic
from infra.errors import Unavailable

_FORMAT = 1
NOT_RUNNING = "run `assay up`"


@dataclass(frozen=True)
class Check:
    """The real call that shows a service works: GET `url`, or POST `body` when there is one.

    `kind` "worker" reads the answer as Prefect's list of workers and wants `worker` online, with a
    heartbeat from the process that runs now.
    """

    url: str
    body: str | None = None
    kind: Literal["http", "worker"] = "http"
    worker: str = ""


@dataclass(frozen=True)
class Service:
    """One supervised process; `after` names the service that must be ready before it starts.

    `sole`: what an earlier start left behind is ended first. Not so for a worker, whose flow runs go on
    when it is killed.
    """

    name: str
    command: tuple[str, ...]
    check: Check
    port: int | None = None
    url: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    after: str | None = None
    sole: bool = True
    ready_s: float = 120.0
    stop_s: int = 10


@dataclass(frozen=True)
class Endpoints:
    """Where the services of a running stack answer."""

    prefect_api_url: str
    mlflow_url: str
    model_server_url: str
    gateway_url: str


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is now; `restarts` counts from the start of the supervisor."""

    name: str
    state: str
    pid: int | None
    url: str | None
    ready: bool
    restarts: int
    log: Path
    reason: str = ""


@dataclass(frozen=True)
class StackStatus:
    """The whole stack; `running` says whether the supervisor lives."""

    running: bool
    services: tuple[ServiceStatus, ...]

    @property
    def ready(self) -> bool:
        """Whether every service answers."""
        return self.running and all(service.ready for service in self.services)


@dataclass(frozen=True)
class Stack:
    """The content of `run/stack.json`; `preferred` are the ports that were asked for, by service."""

    home: Path
    services: tuple[Service, ...]
    preferred: Mapping[str, int]
    supervisor_pid: int | None = None

    @property
    def ports(self) -> dict[str, int]:
        """The ports in use, by service."""
        return {service.name: service.port for service in self.services if service.port is not None}

    @property
    def urls(self) -> dict[str, str]:
        """Addresses, by service."""
        return {service.name: service.url for service in self.services if service.url is not None}

    def stopped(self) -> "Stack":
        """The same stack without its supervisor: ports stay remembered."""
        return replace(self, supervisor_pid=None)


def run_directory(home: Path) -> Path:
    """Where the supervisor keeps its configuration, socket and pid."""
    return home / "run"


def log_file(home: Path, name: str) -> Path:
    """The log of one service (or of `supervisord`)."""
    return home / "logs" / f"{name}.log"


def write(stack: Stack) -> None:
    """Replace `run/stack.json`; raises Unavailable when the disk refuses."""
    content = {
        "format": _FORMAT,
        "supervisor_pid": stack.supervisor_pid,
        "preferred": dict(stack.preferred),
        "services": [asdict(service) for service in stack.services],
    }
    atomic.write_text(run_directory(stack.home) / "stack.json", json.dumps(content, indent=1))


def read(home: Path) -> Stack | None:
    """The recorded stack, or None when there is none or the file is not ours to understand."""
    try:
        content = json.loads((run_directory(home) / "stack.json").read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            return None
        services = tuple(_service(item) for item in content["services"])
        return Stack(home, services, dict(content["preferred"]), content["supervisor_pid"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # Only remembered ports are lost: the processes are found by their marker, not by this file.
        return None


def _service(item: Mapping[str, Any]) -> Service:
    return Service(**{**item, "command": tuple(item["command"]), "check": Check(**item["check"])})


def endpoints_of(stack: Stack) -> Endpoints:
    """The four addresses; raises Unavailable when the stack has other services than ours."""
    urls = stack.urls
    try:
        return Endpoints(
            prefect_api_url=f"{urls['prefect']}/api",
            mlflow_url=urls["mlflow"],
            model_server_url=urls["model-server"],
            gateway_url=urls["gateway"],
        )
    except KeyError as error:
        raise Unavailable(f"the running stack has no service {error}", hint=NOT_RUNNING) from None
