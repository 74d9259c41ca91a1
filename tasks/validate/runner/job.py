"""What parent and child of a check tell each other, in private files: the job, and its answer.

write_job(directory / "job.json", job)                  # parent
write_answer(job.answer, Answer(token=job.token, …))    # child, whole or not at all
answer = read_answer(job.answer, job.token)             # parent; NoAnswer says what is wrong with it
"""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from infra import atomic
from infra.digest import digest_bytes
from tasks.records import Candidate
from tasks.records.record import Digest, Record


class Job(Record):
    """One check of one candidate."""

    name: str
    module: str
    workspace: str
    profile: str
    settings: Digest
    """Digest of the settings that the parent works with."""
    candidate: Candidate
    answer: Path
    token: str
    """Only the answer to this very job is accepted."""


class NoAnswer(Exception):
    """Raised when a child left no answer, or one that cannot be trusted."""


def write_job(file: Path, job: Job) -> None:
    """Write the job for nobody else to read."""
    atomic.write_text(file, job.model_dump_json())


def read_job(file: Path) -> Job:
    """The job; raises ValidationError for anything else."""
    return Job.model_validate_json(file.read_bytes())


def write_answer(job: Job, content: dict[str, Any]) -> None:
    """The digest of the body on the first line, then the body; NaN is written as it is, to be named later."""
    body = json.dumps({"token": job.token, **content}, sort_keys=True).encode()
    atomic.write_bytes(job.answer, digest_bytes(body).encode() + b"\n" + body)


def read_answer(job: Job) -> dict[str, Any]:
    """What the child wrote; raises NoAnswer."""
    try:
        digest, mark, body = job.answer.read_bytes().partition(b"\n")
    except OSError as error:
        raise NoAnswer("it wrote no evidence") from error
    if not mark or digest.decode("ascii", "replace") != digest_bytes(body):
        raise NoAnswer("its evidence is cut off or altered: the digest is not that of the content")
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NoAnswer("its evidence is not JSON") from error
    if not isinstance(content, dict) or content.pop("token", None) != job.token:
        raise NoAnswer("its evidence answers another job")
    return content


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong, without repeating the input."""
    problem = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])
