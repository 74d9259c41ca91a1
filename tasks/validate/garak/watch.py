"""Stands between us and garak: starts it, and ends the whole process group when we are gone.

python watch.py COMMAND…        # its standard input is a pipe that we hold open

The one who validates may be killed at any moment (a deadline, a power cut of the worker); garak would go on
asking a port where nobody answers, for ever. The pipe closes with its holder, however that ends.
"""

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Run the command to its end; its exit code, or death of the group when standard input ends."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_end_with_holder, daemon=True).start()
    return process.wait()


def _end_with_holder() -> None:
    while os.read(0, 1024):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
