"""Policy `auto`: nobody is asked, and the record says exactly that.

approve_automatically(workspace, release)          # PromotionDenied where a person has to decide

A home is pinned to the strictest policy that ever governed a release of the project: the ledger remembers it,
so that another profile, which anybody who starts a process can name, does not loosen it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from infra.errors import PromotionDenied
from infra.ledger import Entry, Kind
from infra.workspace import Workspace
from tasks.deploy.voting.check import open_request
from tasks.deploy.voting.installation import installation_signer, trusted_of
from tasks.deploy.voting.proof import signer_of, verify_bundle
from tasks.deploy.voting.rules import rules_of, store_rules
from tasks.deploy.voting.separation import check_separation
from tasks.deploy.voting.statement import decision_statement
from tasks.deploy.voting.votes import binding_of
from tasks.records import Decision

AUTO_APPROVER = "policy:auto"
# Not `expired`: that nobody answered says nothing about who would have had to; it lets nothing live.
_GOVERNED = frozenset({Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.REJECTED})


def approve_automatically(workspace: Workspace, release: str) -> None:
    """The decision of policy `auto`, signed by the installation and recorded as exactly that.

    Raises PromotionDenied where a person has to decide, VerificationError where the trust policy does not let
    the installation approve.
    """
    project = workspace.project
    if project.approval.policy != "auto":
        raise PromotionDenied(f"profile {project.profile!r} needs a person's decision")
    rules = rules_of(project)

    def check(entries: list[Entry]) -> None:
        _check_pin(entries, workspace)
        open_request(entries, project.name, release, rules, datetime.now(UTC))

    entries, now = workspace.ledger.entries(), datetime.now(UTC)
    check(entries)
    decision = Decision(
        binding=binding_of(open_request(entries, project.name, release, rules, now), rules),
        decision="approve",
        approver=AUTO_APPROVER,
        reason=f"profile {project.profile!r} approves what the gates let through; no person was asked",
        method="auto",
        time=now,
        expires=now + timedelta(seconds=rules.timeout_s),
    )
    bundle = installation_signer(workspace).sign(decision_statement(decision))
    # Where the trust policy does not let this key approve, nothing does: better now than at the roll-out.
    trusted = trusted_of(workspace)
    verify_bundle(bundle, rules, trusted, "automatic decision")
    check_separation(workspace, release, signer_of(decision, rules, trusted))
    store_rules(workspace.store, rules)
    workspace.ledger.append(
        Kind.APPROVED,
        project=project.name,
        subject=release,
        actor=decision.approver,
        reason=decision.reason,
        details={
            "policy": "auto",
            "profile": project.profile,
            "rules": rules.digest,
            "votes": [workspace.store.put_bytes(bundle)],
        },
        check=check,
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


def _check_pin(entries: Iterable[Entry], workspace: Workspace) -> None:
    project = workspace.project
    pin = pinned_by(entries, project.name)
    if pin is not None:
        raise PromotionDenied(
            f"profile {project.profile!r} would approve by itself, but releases of {project.name!r} need a"
            f" person's decision here: ledger entry {pin.seq} ({pin.kind}, policy 'person',"
            f" profile {pin.details.get('profile', 'unknown')!r}, {pin.time[:16]})",
            hint="deploy under that profile and decide by name; no record loosens this ledger again:"
            " to try something out without a person, use another home (ASSAY_HOME)",
        )
