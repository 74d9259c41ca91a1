"""The process of one check: runs it, writes its evidence whole or not at all, and never outlives the parent.

python -m tasks.validate.runner.child JOB      # started by `runner.process` in a group of its own
"""

import os
import resource
import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.validate.runner.job import Job


def main(file: Path) -> int:
    """0 after evidence was written, 1 after a failure was."""
    _keep_watch()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from tasks.validate.runner.job import read_job, write_answer

    job = read_job(file)
    try:
        evidence = _measure(job)
    except BaseException as error:  # noqa: BLE001  # SystemExit and panics of compiled code are failures too
        traceback.print_exc()
        write_answer(job, {"error": _described(error)})
        return 1
    write_answer(job, {"evidence": evidence})
    return 0


def _keep_watch() -> None:
    """A process beside this one that ends the whole group when the parent is gone, however it went.

    The parent holds the other end of stdin and never writes. Not a thread: compiled code may hold the
    interpreter for as long as it likes.
    """
    if os.fork():
        quiet = os.open(os.devnull, os.O_RDONLY)
        os.dup2(quiet, 0)
        os.close(quiet)
        return
    try:
        while os.read(0, 1):
            pass
    finally:
        os.killpg(0, signal.SIGKILL)


def _measure(job: "Job") -> list[object]:
    from infra.errors import ConfigError
    from infra.workspace import open_workspace
    from tasks.records import Evidence

    workspace = open_workspace(job.workspace, job.profile)
    if workspace.project.digest != job.settings:
        raise ConfigError("the settings were changed while the candidate was validated", hint="run again")
    found = import_module(job.module).CHECK.run(workspace, job.candidate)
    evidence: list[object] = []
    for item in found:
        if not isinstance(item, Evidence):
            raise TypeError(f"brought {type(item).__name__}, expected Evidence")
        # Not "json" mode: what is not a finite number has to arrive as what it is.
        evidence.append(item.model_dump())
    return evidence


def _described(error: BaseException) -> str:
    from pydantic import ValidationError

    from infra.config.secrets import redact, resolved_values
    from tasks.validate.runner.job import first_problem

    # pydantic's own text repeats the input, which may be anything.
    said = f"{error.title}: {first_problem(error)}" if isinstance(error, ValidationError) else str(error)
    return redact(f"{type(error).__name__}: {said}".rstrip(": "), resolved_values())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
