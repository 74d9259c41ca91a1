"""Enter a decision: checked, signed, in the store, in the ledger; the release is decided by the last one.

cast_signed(workspace, release, Answer(approver="ada", decision="approve", reason="…"), KeySigner(key))
cast_by_code(workspace, release, answer, "123456")        # signed by the installation, for ada
"""

from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from infra.config.approvers import Method
from infra.errors import IntegrityError
from infra.ledger import Kind, ReleaseState
from infra.refusal import VerificationError
from infra.signing.signer import Signer
from infra.workspace import Workspace
from tasks.deploy.voting.attempts import Answer, Attempt, refusal_recorded
from tasks.deploy.voting.check import check_vote, open_request, seat_of
from tasks.deploy.voting.codes import code_digest
from tasks.deploy.voting.installation import installation_signer, trusted_of
from tasks.deploy.voting.proof import signer_of, verify_bundle
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.rules import Rules, rules_in_force, store_rules
from tasks.deploy.voting.seeds import accepted_step
from tasks.deploy.voting.separation import check_separation
from tasks.deploy.voting.settle import settle
from tasks.deploy.voting.statement import decision_statement
from tasks.deploy.voting.votes import binding_of
from tasks.records import Decision


def cast_signed(workspace: Workspace, release: str, answer: Answer, signer: Signer) -> ReleaseState:
    """The release's state after a decision that its approver signs here, by a key or a keyless identity.

    Raises DecisionRefused, which is in the ledger by then; Unavailable: nothing was decided.
    """
    attempt = Attempt(workspace, release, answer)
    with refusal_recorded(attempt):
        rules = rules_in_force(workspace.project)
        decision = _decision(attempt, rules, "keyless" if signer.identity.issuer else "key")
        _sign_and_enter(attempt, decision, rules, signer)
    return settle(workspace, release)


def cast_bundle(workspace: Workspace, release: str, answer: Answer, bundle: bytes) -> ReleaseState:
    """As `cast_signed`, for a decision that was signed elsewhere; `answer` is what its sender claims."""
    attempt = Attempt(workspace, release, answer)
    with refusal_recorded(attempt):
        _enter(attempt, bundle, rules_in_force(workspace.project))
    return settle(workspace, release)


def cast_by_code(
    workspace: Workspace, release: str, answer: Answer, code: str, *, form: str = ""
) -> ReleaseState:
    """The release's state after a decision that a one-time code proves; the installation signs it.

    `form` names what was filled in, so that it is looked at once. Raises as `cast_signed`.
    """
    attempt = Attempt(workspace, release, answer, form)
    with refusal_recorded(attempt):
        rules, now = rules_in_force(workspace.project), datetime.now(UTC)
        entries = workspace.ledger.entries()
        request = open_request(entries, attempt.project, release, rules, now)
        step = accepted_step(workspace.project, entries, request, answer.approver, code, now)
        attempt.code = code_digest(answer.approver, step)
        decision = _decision(attempt, rules, "totp")
        _sign_and_enter(attempt, decision, rules, installation_signer(workspace))
    return settle(workspace, release)


def _decision(attempt: Attempt, rules: Rules, method: Method) -> Decision:
    answer, now = attempt.answer, datetime.now(UTC)
    entries = attempt.workspace.ledger.entries()
    request = open_request(entries, attempt.project, attempt.release, rules, now)
    content = {
        "binding": binding_of(request, rules),
        "decision": answer.decision,
        "approver": answer.approver,
        "on_behalf_of": answer.on_behalf_of or seat_of(rules, answer.approver, now),
        "reason": " ".join(answer.reason.split()),
        "method": method,
        "time": now,
        "expires": now + timedelta(seconds=rules.timeout_s),
        "code": attempt.code,
    }
    try:
        return Decision.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise DecisionRefused(Why.UNUSABLE, f"no decision: {name}: {first['msg']}") from error


def _sign_and_enter(attempt: Attempt, decision: Decision, rules: Rules, signer: Signer) -> None:
    # Before anything is signed: nobody puts their name under what would not count.
    entries = attempt.workspace.ledger.entries()
    check_vote(entries, decision, rules, project=attempt.project, now=datetime.now(UTC))
    _enter(attempt, signer.sign(decision_statement(decision)), rules)


def _enter(attempt: Attempt, bundle: bytes, rules: Rules) -> None:
    workspace, release = attempt.workspace, attempt.release
    try:
        decision = verify_bundle(bundle, rules, trusted_of(workspace), "decision")
    except IntegrityError as error:
        raise DecisionRefused(Why.UNSIGNED, error.message, hint=error.hint) from error
    if decision.binding.release != release:
        got = decision.binding.release
        raise DecisionRefused(
            Why.WRONG_SUBJECT, f"the decision is about another release: got {got}, expected {release}"
        )
    try:
        check_separation(workspace, release, signer_of(decision, rules, trusted_of(workspace)))
    except VerificationError as error:
        raise DecisionRefused(Why.SAME_SIGNER, error.message, hint=error.hint) from error
    store_rules(workspace.store, rules)
    workspace.ledger.append(
        Kind.NOTE,
        project=attempt.project,
        subject=release,
        actor=decision.approver,
        reason=decision.reason,
        details={
            "vote": decision.model_dump(mode="json"),
            # In the store before the ledger names it.
            "bundle": workspace.store.put_bytes(bundle),
            **attempt.source(),
        },
        # Inside the transaction that appends: of two answers at once one comes first, and the other sees it.
        check=lambda entries: check_vote(
            entries, decision, rules, project=attempt.project, now=datetime.now(UTC)
        ),
    )
