"""Seeds of one-time codes: made 0600 below the home's keys, read by reference, compared with a code.

create_seed(home, "ada"); rotate_seed(home, "ada")
accepted_step(project, entries, request, "ada", "123456", now)      # DecisionRefused when it does not count
"""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from infra import atomic
from infra.config.approvers import load_approvers
from infra.config.project import Project
from infra.config.secrets import resolve
from infra.errors import ConfigError
from infra.ledger import Entry
from tasks.deploy.voting.codes import code_digest, matching_step, new_seed
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.votes import used_codes, wrong_codes

MOST_WRONG_CODES = 5
_NAME = "totp"


def approver_directory(home: Path, name: str) -> Path:
    """Where an approver's key pair and seed lie on this machine."""
    return home / "keys" / "approvers" / name


def seed_file(home: Path, name: str) -> Path:
    """Where an approver's seed lies, present or not."""
    return approver_directory(home, name) / _NAME


def create_seed(home: Path, name: str) -> str:
    """A new seed, in its file; raises ConfigError when there is one: that is rotated, not replaced."""
    file = seed_file(home, name)
    if os.path.lexists(file):
        raise ConfigError(f"{file} exists", hint=f"for a new seed: assay approver rotate {name}")
    return _write_seed(file)


def rotate_seed(home: Path, name: str) -> str:
    """Another seed in place of the one that is there: codes of the old one count no more, from now on."""
    file = seed_file(home, name)
    if not file.is_file() or file.is_symlink():
        raise ConfigError(f"{name} has no seed here", hint=f"assay approver add {name} --totp")
    return _write_seed(file)


def accepted_step(
    project: Project, entries: Sequence[Entry], request: Entry, name: str, code: str, now: datetime
) -> int:
    """The time step of an approver's code; raises DecisionRefused for one that is wrong, used or absent."""
    if not code.strip():
        raise DecisionRefused(
            Why.UNSIGNED,
            "a form without a one-time code decides nothing",
            hint="enter the code of your authenticator, or sign: assay release approve",
        )
    if wrong_codes(entries, request, name) >= MOST_WRONG_CODES:
        raise DecisionRefused(
            Why.TOO_MANY_CODES,
            f"{MOST_WRONG_CODES} wrong codes were given for {name}: none counts any more for this request",
            hint="sign with a key: assay release approve",
        )
    step = _matching_step(_seed(project, name), name, code.strip(), now)
    if code_digest(name, step) in used_codes(entries):
        raise DecisionRefused(Why.REPLAYED, "this one-time code was used before", hint="wait for the next")
    return step


def _matching_step(seed: str, name: str, code: str, now: datetime) -> int:
    try:
        step = matching_step(seed, code, now)
    except ValueError:  # its text may repeat the seed
        raise DecisionRefused(Why.METHOD, f"{name}'s seed is not base32: no code can be checked") from None
    if step is None:
        raise DecisionRefused(Why.WRONG_CODE, f"this is not {name}'s code", hint="enter the one shown now")
    return step


def _seed(project: Project, name: str) -> str:
    approvers = load_approvers(project.path(project.approvers)).approvers
    if name not in approvers:
        raise DecisionRefused(
            Why.UNKNOWN_APPROVER,
            f"{name!r} is not an approver, or not any more",
            hint=f"approvers: {', '.join(sorted(approvers))}",
        )
    reference = approvers[name].totp
    if reference is None:
        raise DecisionRefused(Why.METHOD, f"{name} has no one-time codes", hint="sign: assay release approve")
    try:
        return resolve(reference)
    except ConfigError as error:
        raise DecisionRefused(Why.METHOD, f"{name}'s code cannot be checked: {error.message}") from error


def _write_seed(file: Path) -> str:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.parent.chmod(0o700)
    atomic.write_text(file, new_seed())
    return resolve(f"file:{file}")  # known from now on as what must not reach a log
