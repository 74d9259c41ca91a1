"""supervisord.conf as text: one program a service, private socket, rotated logs."""

import hashlib
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.errors import ConfigError
from infra.stack import launch, record
from infra.stack.record import Service

_LOG_BYTES = 10 * 1024 * 1024
# 108 bytes hold a socket's name; supervisord appends its pid while it creates one.
_SOCKET_LIMIT = 90
# Line ends and comments.
_UNHOLDABLE = re.compile(r"[\r\n]|\s[;#]")


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
