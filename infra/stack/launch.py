"""Becomes a service, after ending what a killed earlier start of it left behind.

python launch.py -- COMMAND…     # run by supervisord, as a script: it imports nothing of Assay

`mlflow server` that is killed leaves its child, which still holds the port: no restart would ever succeed.
"""

import contextlib
import os
import sys

import psutil

# Not ASSAY_…: those names are settings.
STACK = "_ASSAY_STACK"
SERVICE = "_ASSAY_SERVICE"


def leftovers(home: str, service: str) -> list[psutil.Process]:
    """Processes of this service and home other than this one and its ancestors."""
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        if process.pid not in spared:
            with contextlib.suppress(psutil.Error, OSError):
                environment = process.environ()
                if (environment.get(STACK), environment.get(SERVICE)) == (home, service):
                    found.append(process)
    return found


def main(arguments: list[str]) -> None:
    """End the leftovers, then replace this process by the command after `--`."""
    found = leftovers(os.environ[STACK], os.environ[SERVICE])
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=5)
    command = arguments[arguments.index("--") + 1 :]
    os.execv(command[0], command)  # noqa: S606 - the command comes from our own configuration


if __name__ == "__main__":
    main(sys.argv)
