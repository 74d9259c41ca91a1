"""Who lets a release go live: what each state of a release means for deploy, and the recorded decision.

next_move(state.of(release), policy="auto")        # a pure rule
record_decision(workspace, Decision(...))          # one ledger entry, rejection as well as approval

A home is pinned to the strictest policy that ever governed a release of the project: the ledger remembers it,
so that another profile, which anybody who starts a process can name, does not loosen it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

from infra.errors import PromotionDenied
from infra.ledger import Entry, Kind, ReleaseState, fold
from infra.workspace import Workspace
from tasks.records import Decision, GateReport

_KINDS = {"approved": Kind.APPROVED, "rejected": Kind.REJECTED, "expired": Kind.EXPIRED}
AUTO_APPROVER = "policy:auto"
# Not `expired`: that nobody answered is entered as policy `person` under every profile; it lets nothing live.
_GOVERNED = frozenset({Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.REJECTED})


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


def request_approval(workspace: Workspace, release: str, report: GateReport, details: dict[str, str]) -> None:
    """Enter the release into the ledger as a candidate that waits for a decision; resumes after a crash.

    The reason is the report's headline: what passed, and who waived which gate until when.
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
            details=details | governed,
        )
    workspace.ledger.append(
        Kind.AWAITING_APPROVAL,
        project=project.name,
        subject=release,
        actor="deploy",
        reason=reason,
        details=governed,
    )


def automatic_decision(release: str, profile: str) -> Decision:
    """The decision of policy `auto`, recorded as exactly that."""
    reason = f"profile {profile!r} approves what the gates let through; no person was asked"
    return Decision(
        release=release, decision="approved", approver=AUTO_APPROVER, policy="auto", reason=reason
    )


def pinned_by(entries: Iterable[Entry], project: str) -> Entry | None:
    """The first entry that puts this project's releases under a person's decision; None where none does."""
    return next(
        (
            entry
            for entry in entries
            if entry.project == project
            and entry.kind in _GOVERNED
            and entry.details.get("policy") == "person"
        ),
        None,
    )


def record_decision(workspace: Workspace, decision: Decision) -> None:
    """Append the decision; raises PromotionDenied when this person or policy may not decide (any more)."""
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
    head = _head_open_to_auto(workspace) if decision.policy == "auto" else None
    workspace.ledger.append(
        _KINDS[decision.decision],
        project=workspace.project.name,
        subject=decision.release,
        actor=person,
        reason=decision.reason,
        details={"policy": decision.policy, "profile": workspace.project.profile},
        expected_head=head,
    )


def _head_open_to_auto(workspace: Workspace) -> int:
    """Number of the project's last entry, none up to it asking for a person; raises PromotionDenied."""
    project = workspace.project
    entries = workspace.ledger.entries()
    pin = pinned_by(entries, project.name)
    if pin is not None:
        raise PromotionDenied(
            f"profile {project.profile!r} would approve by itself, but releases of {project.name!r} need a"
            f" person's decision here: ledger entry {pin.seq} ({pin.kind}, policy 'person',"
            f" profile {pin.details.get('profile', 'unknown')!r}, {pin.time[:16]})",
            hint="deploy under that profile and decide by name; no record loosens this ledger again:"
            " to try something out without a person, use another home (ASSAY_HOME)",
        )
    return fold(project.name, entries).head
