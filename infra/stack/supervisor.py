"""supervisord: started as a daemon, spoken to by its XML-RPC interface over a private socket.

Supervisor(home).start(services)     # a daemon; services without `after` start with it
Supervisor(home).processes()         # {name: ProcessInfo}
"""

import http.client
import os
import socket
import subprocess
import sys
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import atomic
from infra.errors import ConfigError, Unavailable
from infra.stack import processes, record
from infra.stack.configuration import configuration, socket_path
from infra.stack.record import Service

_START_S = 30.0


@dataclass(frozen=True)
class ProcessInfo:
    """What supervisord says of one service: STOPPED, STARTING, RUNNING, BACKOFF, STOPPING, EXITED, FATAL."""

    state: str
    pid: int | None


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
