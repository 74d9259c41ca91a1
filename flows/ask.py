"""Ask people in the Prefect UI whether a release goes live: the run suspends, its process ends.

move = decide(workspace, validated, release, starter)      # only in a top-level run of a deployment
"""

from itertools import count
from typing import Literal

from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from pydantic import Field

from infra.digest import hex_of
from infra.workspace import Workspace
from tasks.deploy import steps
from tasks.deploy.approval import Move
from tasks.deploy.voting.attempts import Answer
from tasks.deploy.voting.question import Question
from tasks.records import Release, Validated


class ApprovalForm(RunInput):
    """What the UI asks the release manager."""

    approver: str = Field(min_length=1, max_length=128, description="your name, as in approvers.yaml")
    decision: Literal["approve", "reject"] = Field(description="what you decide")
    reason: str = Field(min_length=3, max_length=2000, description="why, for the ledger")
    code: str = Field(max_length=16, description="the one-time code that your authenticator shows now")
    on_behalf_of: str = Field("", max_length=128, description="only for delegates: in whose place")


def decide(workspace: Workspace, validated: Validated, release: Release, starter: str) -> Move:
    """What follows from the decision; where the profile does not decide itself, people are asked for it.

    A form that does not count, or is one of several, is followed by another. Raises DecisionRefused when
    nobody could answer.
    """
    if workspace.project.approval.policy == "auto":
        steps.decide_automatically(workspace, release)
        return steps.advance(workspace, validated, release, starter)
    move, refused = Move.DECIDE, ""
    for attempt in count():
        question = steps.ask_for_decision(workspace, release)
        if question is not None:
            refused = _answered(workspace, release, question, refused, attempt)
        move = steps.advance(workspace, validated, release, starter)
        if move != Move.DECIDE:
            break
    return move


def _answered(workspace: Workspace, release: Release, question: Question, refused: str, attempt: int) -> str:
    """Suspend until the form is filled in, and enter what it says; returns why it does not count."""
    name = f"approval-{hex_of(release.digest)[:16]}-{question.request}-{attempt}"
    # Set as code: it repeats what somebody typed, and the UI reads Markdown.
    quoted = refused.replace("`", "'")
    before = f"**The last answer does not count:** `{quoted}`\n\n" if refused else ""
    # The process ends here and a new one starts when somebody answers: all before must be repeatable, and
    # forms that were answered come back at once, by their name.
    form = suspend_flow_run(
        wait_for_input=ApprovalForm.with_initial_data(description=before + question.markdown),
        timeout=question.seconds_left,
        key=name,
    )
    answer = Answer(
        approver=form.approver, decision=form.decision, reason=form.reason, on_behalf_of=form.on_behalf_of
    )
    return steps.take_answer(workspace, release, answer, form.code, f"{flow_run.id}/{name}")
