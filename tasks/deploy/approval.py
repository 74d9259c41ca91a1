"""What each state of a release means for deploy, and the question that is put to whoever decides.

next_move(state.of(release))                       # a pure rule
request_approval(workspace, release, report, unit=…, started_by=…, trained_by=…)

The answers come from `tasks.deploy.voting`.
"""

from collections.abc import Sequence
from enum import StrEnum

from infra.ledger import Kind, ReleaseState
from infra.workspace import Workspace
from tasks.deploy.packaging import report_digest
from tasks.records import GateReport


class Move(StrEnum):
    """What deploy does next with a release."""

    REQUEST = "request"
    DECIDE = "decide"
    ROLL_OUT = "roll-out"
    SERVE = "serve"
    REFUSE = "refuse"


def next_move(state: str | None) -> Move:
    """The move that a release's state in the ledger allows; unknown states are refused."""
    moves: dict[str | None, Move] = {
        None: Move.REQUEST,
        "candidate": Move.REQUEST,
        "superseded": Move.REQUEST,
        "expired": Move.REQUEST,
        "awaiting-approval": Move.DECIDE,
        "approved": Move.ROLL_OUT,
        "champion": Move.SERVE,
    }
    return moves.get(state, Move.REFUSE)


def refusal(state: ReleaseState) -> str:
    """Why a release in this state is not deployed, in one line."""
    who = f"{state.state} by {state.actor} on {state.since[:16]}: {state.reason}"
    return f"release {state.release} was {who}"


def request_approval(
    workspace: Workspace,
    release: str,
    report: GateReport,
    *,
    unit: str,
    started_by: Sequence[str],
    trained_by: str,
) -> None:
    """Enter the release into the ledger as a candidate that waits for a decision; resumes after a crash.

    The reason is the report's headline: what passed, and who waived which gate until when. `started_by` and
    `trained_by` are accounts: what four eyes are checked against.
    """
    project, reason = workspace.project, report.headline
    governed = {"policy": project.approval.policy, "profile": project.profile}
    if workspace.state().of(release) != "candidate":
        workspace.ledger.append(
            Kind.CANDIDATE,
            project=project.name,
            subject=release,
            actor="deploy",
            reason=reason,
            details={"unit": unit} | governed,
        )
    asked = {
        "gate_report": report_digest(report),
        "gates": report.policy,
        "started_by": list(started_by),
        "trained_by": trained_by,
    }
    workspace.ledger.append(
        Kind.AWAITING_APPROVAL,
        project=project.name,
        subject=release,
        actor="deploy",
        reason=reason,
        details=asked | governed,
    )
