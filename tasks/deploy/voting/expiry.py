"""Requests that nobody answered in time, and approvals that came of age or lost their ground.

if reason := why_expired(workspace, release):
    expire(workspace, release, reason)             # a rejection, after which it can be asked anew
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from infra.ledger import Entry, Kind
from infra.refusal import Reason, VerificationError
from infra.workspace import Workspace
from tasks.deploy.voting.check import is_too_late
from tasks.deploy.voting.installation import trusted_of
from tasks.deploy.voting.proof import check_decision, signer_of
from tasks.deploy.voting.rules import rules_of
from tasks.deploy.voting.separation import check_separation
from tasks.deploy.voting.votes import request_of

TIMEOUT = "policy:timeout"
# The trust policy changed since: somebody else has to approve. Whatever else is wrong is no lapse but damage.
_NOT_TRUSTED_ANY_MORE = (
    Reason.SIGNER_REVOKED,
    Reason.SIGNER_UNTRUSTED,
    Reason.NO_TRUST,
    Reason.SAME_SIGNER,
)


def expire(workspace: Workspace, release: str, reason: str) -> None:
    """Record that a request or an approval counts no more: a rejection that a new request may follow."""
    workspace.ledger.append(
        Kind.EXPIRED,
        project=workspace.project.name,
        subject=release,
        actor=TIMEOUT,
        reason=reason,
        details={"profile": workspace.project.profile},
    )


def why_expired(workspace: Workspace, release: str, now: datetime | None = None) -> str:
    """Why a request that waits or an approval that was not rolled out counts no more; empty: it counts.

    Raises IntegrityError for an approval whose signatures, votes or rules are not what was recorded.
    """
    entries, project = workspace.ledger.entries(), workspace.project
    request, state = request_of(entries, project.name, release), workspace.state().of(release)
    now = now or datetime.now(UTC)
    if request is None or state not in ("awaiting-approval", "approved"):
        return ""
    if "gate_report" not in request.details:
        return "asked by an older version, which did not say about which gate report"
    if state == "approved":
        return _why_lapsed(workspace, entries, release, now)
    if is_too_late(request, project.approval.timeout_s, now):
        return f"nobody decided within {project.approval.timeout_s} s"
    if request.details.get("policy") == "auto" and project.approval.policy == "person":
        return f"asked under profile {request.details['profile']!r}, which asks nobody"
    return ""


def _why_lapsed(workspace: Workspace, entries: Sequence[Entry], release: str, now: datetime) -> str:
    if "votes" not in workspace.state().releases[release].details:
        return "approved without a signature, by an older version"
    name = workspace.project.name
    trusted = trusted_of(workspace)
    try:
        decided = check_decision(entries, workspace.store, name, release, trusted)
        for vote in decided.votes:
            check_separation(workspace, release, signer_of(vote.decision, decided.rules, trusted))
    except VerificationError as error:
        if error.reason in _NOT_TRUSTED_ANY_MORE:
            return error.message
        raise
    if decided.rules.digest != rules_of(workspace.project).digest:
        return "the rules for approval changed since it was approved"
    first = min(vote.decision.expires for vote in decided.votes)
    return f"approved, but not rolled out until {first.isoformat(timespec='seconds')}" if first <= now else ""
