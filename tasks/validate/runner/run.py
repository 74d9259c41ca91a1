"""One check of a candidate: what it measured before for these very inputs, or now, in a child process.

outcome = run_check(workspace, candidate, "security", "tasks.validate.security.check")

Evidence is kept by candidate, data, settings, packages and code; a failure is never kept.
"""

import secrets
import shutil
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

from infra.code import code_digest
from infra.digest import digest_json
from infra.errors import AssayError, IntegrityError, Unavailable
from infra.guard import GuardPolicy
from infra.workspace import Workspace
from tasks.records import Candidate, CheckFailure
from tasks.validate.check import Check
from tasks.validate.checks import load_check
from tasks.validate.metrics import METRICS
from tasks.validate.runner.admission import NotAdmitted, admit
from tasks.validate.runner.job import Job, NoAnswer, read_answer, write_job
from tasks.validate.runner.outcome import Outcome
from tasks.validate.runner.process import run_child
from tasks.validate.runner.reason import one_line


class _Failed(Exception):
    """Carries a failure past the shelf, which keeps only what is returned."""

    def __init__(self, reason: str, seconds: float) -> None:
        super().__init__(reason)
        self.reason, self.seconds = reason, seconds


def run_check(workspace: Workspace, candidate: Candidate, name: str, module: str) -> Outcome:
    """Evidence, or the failure that stands for it.

    Raises IntegrityError for kept evidence that was altered and Unavailable when the disk refuses.
    """
    metrics: tuple[str, ...] = ()
    try:
        check = _declared(name, module)
        metrics = check.metrics
        if not check.kept:
            return _measure(workspace, candidate, check, module)
        return workspace.steps.once(
            f"checks/{name}",
            _inputs(workspace, candidate, check),
            Outcome,
            lambda: _measure(workspace, candidate, check, module),
        )
    except (IntegrityError, Unavailable):
        raise
    except _Failed as failed:
        reason, seconds = failed.reason, failed.seconds
    except Exception as error:  # noqa: BLE001  # whatever a check's module raises, the others go on
        said = error.message if isinstance(error, AssayError) else str(error)
        reason, seconds = f"{type(error).__name__}: {said}", 0.0
    failure = CheckFailure(check=name, metrics=metrics, reason=one_line(reason, _guard(workspace)))
    return Outcome(check=name, failure=failure, seconds=round(seconds, 3))


def _declared(name: str, module: str) -> Check:
    try:
        return load_check(name, module)
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:  # SystemExit, or a panic of compiled code, while it is imported
        raise _Failed(f"cannot be imported: {type(error).__name__}: {error}", 0.0) from error


def _measure(workspace: Workspace, candidate: Candidate, check: Check, module: str) -> Outcome:
    """Evidence measured now; raises _Failed."""
    directory = workspace.home / "work" / "checks" / workspace.project.name / check.name
    shutil.rmtree(directory, ignore_errors=True)  # of a run that was killed
    directory.mkdir(parents=True, mode=0o700)
    job = Job(
        name=check.name,
        module=module,
        workspace=workspace.name,
        profile=workspace.project.profile,
        settings=workspace.project.digest,
        candidate=candidate,
        answer=directory / "answer",
        token=secrets.token_hex(16),
    )
    try:
        return _answered(workspace, check, job, directory / "job.json")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _answered(workspace: Workspace, check: Check, job: Job, file: Path) -> Outcome:
    write_job(file, job)
    log = workspace.home / "logs" / "checks" / f"{workspace.project.name}-{check.name}.log"
    ended = run_child(file, log=log, deadline_s=check.deadline_s)
    try:
        if ended.problem:
            raise _Failed(_explained(ended.problem, job), ended.seconds)
        evidence = admit(check, read_answer(job).get("evidence"), job.candidate.unit)
    except (NoAnswer, NotAdmitted) as error:
        raise _Failed(str(error), ended.seconds) from error
    return Outcome(check=check.name, evidence=evidence, seconds=round(ended.seconds, 3))


def _explained(problem: str, job: Job) -> str:
    """What the child itself says was raised, where it could; else how it ended."""
    try:
        error = read_answer(job).get("error")
    except NoAnswer:
        error = None
    return f"raised {error}" if isinstance(error, str) and error else problem


def _inputs(workspace: Workspace, candidate: Candidate, check: Check) -> dict[str, object]:
    """Everything that decides what the check measures."""
    compared = any(METRICS[name].needs_champion for name in (*check.metrics, *check.optional))
    return {
        "candidate": candidate.unit,
        "dataset": candidate.dataset.digest,
        "requirements": candidate.requirements.digest,
        "champion": (workspace.state().champion or "none") if compared else "not compared with",
        "settings": workspace.project.digest,
        "metrics": sorted((*check.metrics, *check.optional)),
        "reads": dict(check.reads(workspace)) if check.reads else {},
        "packages": _packages(),
        "code": code_digest("tasks.validate.runner", *check.code),
    }


@cache
def _packages() -> str:
    """Digest of the names and versions installed: corpora, templates and numerics come from there."""
    return digest_json(sorted({f"{each.name}=={each.version}" for each in distributions()}))


def _guard(workspace: Workspace) -> GuardPolicy | None:
    project = workspace.project
    try:
        return GuardPolicy.from_yaml(project.path(project.guard).read_bytes())
    except (OSError, AssayError):
        return None
