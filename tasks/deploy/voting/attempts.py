"""What somebody answers to a request, and the note about an answer that does not count.

with refusal_recorded(attempt):
    raise DecisionRefused(…)                       # in the ledger before it leaves the block
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from infra.errors import PromotionDenied
from infra.ledger import Kind, local_actor
from infra.workspace import Workspace
from tasks.deploy.voting.expiry import expire, why_expired
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.records import Record


class Answer(Record):
    """What a person answers; nothing of it is proven yet."""

    approver: str
    decision: Literal["approve", "reject"]
    reason: str
    on_behalf_of: str = Field("", description="whose seat; empty: their own, or that of the only delegator")


@dataclass
class Attempt:
    """An answer on its way into the ledger."""

    workspace: Workspace
    release: str
    answer: Answer
    form: str = ""
    """Names what was filled in, so that it is looked at once."""
    code: str | None = None
    """Digest of the one-time code once it was found right: used up, whatever becomes of the answer."""

    @property
    def project(self) -> str:
        """Name of the project in the ledger."""
        return self.workspace.project.name

    def source(self) -> dict[str, str]:
        """Where an answer came from, for the details of its entry."""
        return {"entered_by": local_actor(), **({"form": self.form} if self.form else {})}


@contextlib.contextmanager
def refusal_recorded(attempt: Attempt) -> Iterator[None]:
    """A refusal is in the ledger before it is raised; a request that turns out too old is entered as that."""
    try:
        yield
    except DecisionRefused as refused:
        _record(attempt, refused)
        workspace, release = attempt.workspace, attempt.release
        if refused.code == Why.EXPIRED and (reason := why_expired(workspace, release)):
            with contextlib.suppress(PromotionDenied):  # another was faster
                expire(workspace, release, reason)
        raise


def _record(attempt: Attempt, refused: DecisionRefused) -> None:
    if attempt.release not in attempt.workspace.state().releases:
        return  # nothing is known that the note could be about
    name = _plain(attempt.answer.approver)
    attempt.workspace.ledger.append(
        Kind.NOTE,
        project=attempt.project,
        subject=attempt.release,
        actor=name or "nobody",
        reason=f"{attempt.answer.decision} refused: {refused.message}"[:2000],
        details={
            "refused": {"why": refused.code.value, "approver": name, "code": attempt.code},
            **attempt.source(),
        },
    )


def _plain(text: str) -> str:
    """What somebody typed, fit for a line of a ledger."""
    return "".join(char for char in text if char.isprintable()).strip()[:128]
