"""TCP ports: the preferred one, or the next free one, or a refusal that names who holds it."""

import socket
from collections.abc import Mapping

import psutil

from infra.errors import ConfigError

_LAST = 65_535


def choose_ports(
    host: str,
    preferred: Mapping[str, int],
    *,
    remembered: Mapping[str, int] | None = None,
    fixed: bool = False,
) -> dict[str, int]:
    """A free port for each service; `remembered` ones (of an earlier start) are tried first.

    Raises ConfigError when `fixed` and a port is taken (naming port and process), or when none is left.
    """
    chosen: dict[str, int] = {}
    for name, first in preferred.items():
        earlier = (remembered or {}).get(name)
        if fixed:
            _refuse_taken(host, name, first, set(chosen.values()))
            chosen[name] = first
        elif earlier is not None and earlier not in chosen.values() and is_free(host, earlier):
            chosen[name] = earlier
        else:
            chosen[name] = _next_free(host, name, first, set(chosen.values()))
    return chosen


def _refuse_taken(host: str, name: str, port: int, others: set[int]) -> None:
    if port in others:
        raise ConfigError(f"port {port} is given to two services", hint=f"change ports.{_key(name)}")
    if not is_free(host, port):
        raise ConfigError(
            f"port {port} for {name} is taken by {holder(port)}",
            hint=f"stop that process, change ports.{_key(name)}, or set ports.fixed: false",
        )


def _next_free(host: str, name: str, first: int, others: set[int]) -> int:
    for port in range(first, _LAST + 1):
        if port not in others and is_free(host, port):
            return port
    raise ConfigError(f"no free port for {name} from {first} on", hint=f"change ports.{_key(name)}")


def _key(name: str) -> str:
    return name.replace("-", "_")


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now; raises ConfigError for a host that is not this machine."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except OSError as error:
        raise ConfigError(f"ports.host: {host!r}: {error}", hint="use an address of this machine") from error
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        # As servers do: a port in TIME_WAIT is free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, for a person: `python3 (pid 17)`, or `another process` when not ours to see."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            local = connection.laddr
            if connection.status == psutil.CONN_LISTEN and local and local.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return "another process"


def listens(pid: int, port: int) -> bool:
    """Whether a process or a descendant of it listens on a port.

    An answer from a port proves nothing: another installation may have been faster to take it.
    """
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            for connection in process.net_connections(kind="tcp"):
                local = connection.laddr
                if connection.status == psutil.CONN_LISTEN and local and local.port == port:
                    return True
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
    return False
