"""Who lets a release go live: what each state of a release means for deploy, and the recorded decision.

next_move(state.of(release), policy="auto")        # a pure rule
record_decision(workspace, Decision(...))          # one ledger entry, rejection as well as approval
"""

from datetime import UTC, datetime
from enum import StrEnum

from infra.errors import PromotionDenied
from infra.ledger import Kind, ReleaseState
from infra.workspace import Workspace
from tasks.records import Decision

_KINDS = {"approved": Kind.APPROVED, "rejected": Kind.REJECTED, "expired": Kind.EXPIRED}
AUTO_APPROVER = "policy:auto"


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


def has_expired(state: ReleaseState, timeout_s: int, now: datetime | None = None) -> bool:
    """Whether nobody decided in time."""
    asked = datetime.fromisoformat(state.since)
    return ((now or datetime.now(UTC)) - asked).total_seconds() > timeout_s


def request_approval(workspace: Workspace, release: str, details: dict[str, str]) -> None:
    """Enter the release into the ledger as a candidate that waits for a decision; resumes after a crash."""
    name = workspace.project.name
    reason = "all gates pass"
    if workspace.state().of(release) != "candidate":
        workspace.ledger.append(
            Kind.CANDIDATE, project=name, subject=release, actor="deploy", reason=reason, details=details
        )
    workspace.ledger.append(
        Kind.AWAITING_APPROVAL, project=name, subject=release, actor="deploy", reason=reason
    )


def automatic_decision(release: str, profile: str) -> Decision:
    """The decision of policy `auto`, recorded as exactly that."""
    reason = f"profile {profile!r} approves what passes all gates; no person was asked"
    return Decision(
        release=release, decision="approved", approver=AUTO_APPROVER, policy="auto", reason=reason
    )


def record_decision(workspace: Workspace, decision: Decision) -> None:
    """Append the decision; raises PromotionDenied when this person may not decide, or not any more."""
    settings = workspace.project.approval
    person = decision.approver
    if decision.policy == "auto" and settings.policy != "auto":
        raise PromotionDenied(f"profile {workspace.project.profile!r} needs a person's decision")
    if decision.policy == "person" and decision.decision != "expired":
        if person.startswith("policy:") or not person.strip():
            raise PromotionDenied(f"{person!r} is not a person", hint="decide under your own name")
        if settings.approvers and person not in settings.approvers:
            raise PromotionDenied(
                f"{person!r} may not decide", hint=f"approvers: {', '.join(settings.approvers)}"
            )
    workspace.ledger.append(
        _KINDS[decision.decision],
        project=workspace.project.name,
        subject=decision.release,
        actor=person,
        reason=decision.reason,
        details={"policy": decision.policy, "profile": workspace.project.profile},
    )
