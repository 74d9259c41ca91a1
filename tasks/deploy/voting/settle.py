"""What all votes on a release decide, entered once: by whoever gave the last one, or after a crash.

settle(workspace, release).state           # "approved", "rejected", or still "awaiting-approval"
"""

import contextlib
from datetime import UTC, datetime

from infra.errors import PromotionDenied, Unavailable
from infra.ledger import Entry, Kind, ReleaseState
from infra.refusal import SIGNER_COUNTS_NO_MORE, VerificationError
from infra.workspace import Workspace
from tasks.deploy.voting.check import outcome
from tasks.deploy.voting.expiry import expire
from tasks.deploy.voting.installation import trusted_of
from tasks.deploy.voting.proof import verified_votes
from tasks.deploy.voting.rules import rules_of, store_rules
from tasks.deploy.voting.votes import request_of, votes_on

_TRIES = 10


def settle(workspace: Workspace, release: str) -> ReleaseState:
    """Enter what the votes decide, if they do and nobody entered it yet; returns the release's state.

    A request with a vote whose signer counts no more has expired: it is asked anew. Raises IntegrityError for
    a vote that is not what was signed.
    """
    project = workspace.project.name
    for _ in range(_TRIES):
        state = workspace.state().releases[release]
        entries = workspace.ledger.entries()
        request = request_of(entries, project, release)
        if request is None or state.state != "awaiting-approval":
            return state
        rules = rules_of(workspace.project)
        try:
            votes = verified_votes(entries, request, workspace.store, trusted_of(workspace))
        except VerificationError as error:
            if error.reason not in SIGNER_COUNTS_NO_MORE:
                raise
            with contextlib.suppress(PromotionDenied):  # decided by another, or asked anew: look again
                expire(workspace, release, error.message)
            continue
        result, counted = outcome(votes, rules, datetime.now(UTC))
        if result is None or request.details.get("profile") != rules.profile:
            return state
        seen = [vote.bundle for vote in votes]

        def same(now: list[Entry], asked: Entry = request, seen: list[str] = seen) -> None:
            if [vote.bundle for vote in votes_on(now, asked)] != seen:
                raise PromotionDenied("another vote came in between")

        with contextlib.suppress(PromotionDenied):  # decided by another, or one more vote: look again
            store_rules(workspace.store, rules)
            workspace.ledger.append(
                Kind.APPROVED if result == "approved" else Kind.REJECTED,
                project=project,
                subject=release,
                actor=", ".join(vote.decision.approver for vote in counted),
                reason=counted[-1].decision.reason,
                details={
                    "policy": "person",
                    "profile": rules.profile,
                    "rules": rules.digest,
                    "votes": [vote.bundle for vote in counted],
                },
                check=same,
            )
    raise Unavailable("the ledger is too busy to settle a decision", hint="run again")
