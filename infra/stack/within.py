"""Run any command against the running services: with their addresses in its environment.

python -m infra.stack.within prefect deployment run lifecycle/nightly --watch
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.config import state_home
from infra.errors import AssayError, ConfigError
from infra.stack.control import endpoints
from infra.stack.services import client_environment


def main(command: Sequence[str]) -> None:
    """Become the command; exits 1 when nothing runs, 2 when there is no such command."""
    try:
        home = state_home()
        running = endpoints(home)
        beside = Path(sys.executable).parent
        program = shutil.which(command[0], path=f"{beside}{os.pathsep}{os.defpath}") if command else None
        if program is None:
            raise ConfigError(f"no command {' '.join(command[:1])!r}", hint="give one that is installed")
    except AssayError as error:
        sys.stderr.write(error.diagnostics() + "\n")
        sys.exit(error.exit_code)
    environment = client_environment(home, running.prefect_api_url, running.mlflow_url)
    os.execve(program, list(command), {**os.environ, **environment})  # noqa: S606 - what the caller asked for


if __name__ == "__main__":
    main(sys.argv[1:])
