"""supervisord: its configuration as text, and its XML-RPC interface over a private socket.

Supervisor(home).start(services)     # a daemon; services without `after` start with it
Supervisor(home).processes()         # {name: ProcessInfo}
"""

import hashlib
import http.client
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import atomic
from infra.errors import ConfigError, Unavailable
from infra.stack import launch, processes, record
from infra.stack.record import Service

_LOG_BYTES = 10 * 1024 * 1024
# 108 bytes hold a socket's name; supervisord appends its pid while it creates one.
_SOCKET_LIMIT = 90
_START_S = 30.0
# Line ends and comments.
_UNHOLDABLE = re.compile(r"[\r\n]|\s[;#]")


@dataclass(frozen=True)
class ProcessInfo:
    """What supervisord says of one service: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL."""

    state: str
    pid: int | None


def configuration(home: Path, services: Iterable[Service]) -> str:
    """The supervisord.conf of a stack; raises ConfigError for a home whose path it cannot hold."""
    run = record.run_directory(home)
    # Comments and expansions of supervisord.conf (logs expand twice), and SQLite's addresses.
    if set(str(home)) & set("\n\r\"';#\\%?"):
        raise ConfigError(
            f"ASSAY_HOME={home}: a path with quotes, ; # % ? or \\ cannot hold the services",
            hint="use another directory",
        )
    parts = [
        _section("unix_http_server", {"file": socket_path(home), "chmod": "0600"}),
        _section(
            "supervisord",
            {
                "pidfile": run / "supervisord.pid",
                "logfile": record.log_file(home, "supervisord"),
                "logfile_maxbytes": _LOG_BYTES,
                "logfile_backups": 1,
                "directory": run,
                "umask": "077",
                "minfds": 1024,
                "silent": "true",
            },
        ),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        *(_section(f"program:{service.name}", _program(home, service)) for service in services),
    ]
    return "\n".join(parts)


def _program(home: Path, service: Service) -> dict[str, object]:
    variables = {**service.environment, launch.SERVICE: service.name}
    environment = ",".join(f'{name}="{value}"' for name, value in sorted(variables.items()))
    launcher = (sys.executable, "-P", launch.__file__, "--") if service.sole else ()
    return {
        "command": shlex.join((*launcher, *service.command)),
        "environment": environment,
        "directory": record.run_directory(home),
        "autostart": "false" if service.after else "true",
        "autorestart": "true",
        # Dying sooner counts as a failed start; below the time that imports take, a service that
        # cannot start would be restarted without a pause.
        "startsecs": 5,
        # A failed start waits one second longer each time: about eight minutes until FATAL.
        "startretries": 30,
        "stopasgroup": "true",
        "killasgroup": "true",
        "stopwaitsecs": service.stop_s,
        "redirect_stderr": "true",
        "stdout_logfile": record.log_file(home, service.name),
        "stdout_logfile_maxbytes": _LOG_BYTES,
        "stdout_logfile_backups": 3,
    }


def _section(name: str, values: Mapping[str, object]) -> str:
    lines = []
    for key, value in values.items():
        text = str(value).replace("%", "%%")
        if _UNHOLDABLE.search(text):
            raise ConfigError(f"{name}: {key}: supervisord.conf cannot hold {text!r}")
        lines.append(f"{key}={text}")
    return "\n".join([f"[{name}]", *lines, ""])


def socket_path(home: Path) -> Path:
    """Where supervisord listens: in `run/`, or in a private temporary directory if that is too long."""
    path = record.run_directory(home) / "supervisord.sock"
    if len(os.fsencode(path)) <= _SOCKET_LIMIT:
        return path
    short = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"assay-{os.getuid()}-{short}" / "supervisord.sock"


class Supervisor:
    """The supervisord of one home; every call raises Unavailable when it does not answer."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = socket_path(home)
        self.conf = record.run_directory(home) / "supervisord.conf"

    def answers(self) -> bool:
        """Whether supervisord lives and is not on its way out."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except Unavailable:
            return False

    def start(self, services: Iterable[Service]) -> int:
        """Write the configuration and start the daemon; returns its pid."""
        services = tuple(services)
        self._prepare()
        self.write(services)
        environment = {**os.environ, processes.MARKER: str(self.home)}
        done = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(self.conf)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment,
            cwd=record.run_directory(self.home),
            umask=0o077,
            timeout=_START_S,
            check=False,
        )
        deadline = time.monotonic() + _START_S
        while done.returncode == 0 and time.monotonic() < deadline:
            if self.answers():
                return int(self._call("getPID"))
            time.sleep(0.05)
        raise Unavailable(
            f"supervisord did not start: {(done.stderr or done.stdout).strip()[-500:] or 'no answer'}",
            hint=f"see {record.log_file(self.home, 'supervisord')}",
        )

    def _prepare(self) -> None:
        try:
            for directory in (
                record.run_directory(self.home),
                record.log_file(self.home, "x").parent,
                self.socket.parent,
            ):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
                if directory.stat().st_uid != os.getuid():
                    raise ConfigError(f"{directory} belongs to another user", hint="remove it")
                directory.chmod(0o700)
            self.socket.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(
                f"ASSAY_HOME={self.home}: cannot be used: {error}", hint="choose another directory"
            ) from error

    def write(self, services: Iterable[Service]) -> bool:
        """Write the configuration; whether it differs from the one that was there."""
        text = configuration(self.home, services)
        try:
            if self.conf.read_text(encoding="utf-8") == text:
                return False
        except OSError:
            pass
        atomic.write_text(self.conf, text)
        return True

    def processes(self) -> dict[str, ProcessInfo]:
        """Every supervised service."""
        return {
            info["name"]: ProcessInfo(info["statename"], info["pid"] or None)
            for info in self._call("getAllProcessInfo")
        }

    def start_service(self, name: str) -> None:
        """Start one service without waiting; nothing when it runs already."""
        self._call("startProcess", name, False, ignore=("ALREADY_STARTED",))

    def apply(self) -> None:
        """Take over a changed configuration: only services that changed are restarted."""
        [[added, changed, removed]] = self._call("reloadConfig")
        for name in (*changed, *removed):
            self._call("stopProcessGroup", name, True)
            self._call("removeProcessGroup", name)
        for name in (*added, *changed):
            self._call("addProcessGroup", name)

    def stop(self) -> None:
        """Stop all services at once (supervisord alone would do it one after the other), then supervisord."""
        self._call("stopAllProcesses", False)
        self._call("shutdown", ignore=("SHUTDOWN_STATE",))

    def _call(self, method: str, *arguments: object, ignore: tuple[str, ...] = ()) -> Any:
        proxy = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(self.socket))
        try:
            with proxy:
                return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultString.split(":")[0] in ignore:
                return None
            raise Unavailable(f"supervisord refuses {method}{arguments}: {fault.faultString}") from fault
        except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
            raise Unavailable(f"supervisord does not answer: {error}", hint=record.NOT_RUNNING) from error


class _Connection(http.client.HTTPConnection):
    # Longer than any service's stop time: stopProcessGroup waits for it.
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:  # noqa: ARG002 - the base's signature
        return _Connection(self._path)
