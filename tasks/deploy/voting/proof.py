"""Prove a decision again from its signed form, the rules and the ledger: offline, without trusting the store.

decision = verify_bundle(bundle, rules, Trusted(installation=[key]), "vote of ada")
decided = check_decision(entries, store, "triage", release, Trusted(installation=[key]))
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from infra.errors import IntegrityError
from infra.ledger import Entry, Kind, check_chain, fold
from infra.signing.documents import parse_object
from infra.signing.dsse import MOST_BYTES, verify_signed, verify_statement
from infra.signing.keys import PublicKey
from infra.signing.signer import SignerIdentity
from infra.store import Store
from infra.trust.rules import NotRevoked, Signed
from tasks.deploy.voting.check import check_vote, outcome
from tasks.deploy.voting.refusal import DecisionRefused
from tasks.deploy.voting.rules import Rules, read_rules
from tasks.deploy.voting.statement import decision_of
from tasks.deploy.voting.votes import Vote, binding_of, request_of, votes_on
from tasks.records import Decision

KeylessCheck = Callable[[bytes, str], tuple[Mapping[str, Any], SignerIdentity]]
"""The statement of a bundle signed without a key, and whoever signed it; raises IntegrityError."""

_AFTERWARDS = timedelta(minutes=5)


@dataclass(frozen=True)
class Trusted:
    """Whom a verifier believes besides the approvers' own keys."""

    installation: Sequence[PublicKey]
    """Keys that sign for one-time codes and for policy `auto`: that of the installation, and earlier ones."""
    keyless: KeylessCheck | None = None
    """None: decisions signed without a key cannot be verified, and do not count."""
    not_revoked: NotRevoked = field(default_factory=NotRevoked)
    """What comes before all other rules."""


@dataclass(frozen=True)
class Decided:
    """A decision that was proven: what came of it, under which rules, and the votes it rests on."""

    entry: Entry
    rules: Rules
    votes: tuple[Vote, ...]


def verify_bundle(bundle: bytes, rules: Rules, trusted: Trusted, name: str) -> Decision:
    """The decision that the approver it names has signed, or the installation for them.

    Raises IntegrityError. Until the signature is verified, its content only says whose key to try.
    """
    claimed = _claimed(bundle, name)
    content = _signed_content(bundle, claimed, rules, trusted, name)
    decision = decision_of(content, name)
    if decision != claimed:
        raise IntegrityError(f"{name}: says different things before and after its signature is checked")
    return decision


def signer_of(decision: Decision, rules: Rules, trusted: Trusted) -> SignerIdentity:
    """Who signed a decision that was verified: the approver's key or identity, or the installation's key."""
    voter = rules.voters.get(decision.approver)
    if decision.method == "key" and voter is not None:
        return SignerIdentity(voter.key().key_id)
    if decision.method == "keyless" and voter is not None:
        return voter.identity
    return SignerIdentity(trusted.installation[0].key_id)


def check_decision(
    entries: Sequence[Entry], store: Store, project: str, release: str, trusted: Trusted
) -> Decided:
    """The deciding entry of a release's newest request, proven from its votes' signatures.

    Checks the chain, every signature, what each vote is about, that it was allowed when it was entered, and
    that the votes give this decision. Raises IntegrityError, or DecisionRefused naming the broken rule.
    """
    check_chain(list(entries))
    fold(project, entries)
    request = request_of(entries, project, release)
    after = [e for e in entries if request and e.project == project and e.subject == release]
    deciding = [e for e in after if request and e.seq > request.seq and e.kind in _DECIDING]
    if request is None or not deciding:
        raise IntegrityError(f"{release}: the ledger holds no decision about it")
    entry = deciding[0]
    rules = read_rules(store, str(entry.details.get("rules", "")))
    before = [each for each in entries if each.seq < entry.seq]
    if rules.policy == "auto":
        return Decided(entry, rules, (_automatic(entry, request, store, rules, trusted),))
    votes = _verified(before, request, store, trusted)
    result, counted = outcome(votes, rules, datetime.fromisoformat(entry.time))
    if result != entry.kind.value:
        raise IntegrityError(f"ledger row {entry.seq} says {entry.kind}, its votes say {result or 'nothing'}")
    if [vote.bundle for vote in counted] != entry.details.get("votes"):
        raise IntegrityError(f"ledger row {entry.seq} does not name the votes that it rests on")
    return Decided(entry, rules, tuple(counted))


def verified_votes(entries: Sequence[Entry], request: Entry, store: Store, trusted: Trusted) -> list[Vote]:
    """The votes on a request, each compared with what was signed; raises IntegrityError."""
    votes = votes_on(entries, request)
    for vote in votes:
        rules = read_rules(store, vote.decision.binding.rules)
        name = f"ledger row {vote.entry.seq}: vote of {vote.decision.approver}"
        signed = verify_bundle(store.get_bytes(vote.bundle), rules, trusted, name)
        if signed != vote.decision:
            raise IntegrityError(f"{name}: the ledger says something else than what is signed")
    return votes


_DECIDING = (Kind.APPROVED, Kind.REJECTED)


def _verified(entries: Sequence[Entry], request: Entry, store: Store, trusted: Trusted) -> list[Vote]:
    votes = verified_votes(entries, request, store, trusted)
    for vote in votes:
        rules = read_rules(store, vote.decision.binding.rules)
        earlier = [entry for entry in entries if entry.seq < vote.entry.seq]
        then = datetime.fromisoformat(vote.entry.time)
        try:
            check_vote(earlier, vote.decision, rules, project=request.project, now=then)
        except DecisionRefused as refused:
            raise DecisionRefused(
                refused.code, f"ledger row {vote.entry.seq} should not be there: {refused.message}"
            ) from refused
    return votes


def _automatic(entry: Entry, request: Entry, store: Store, rules: Rules, trusted: Trusted) -> Vote:
    name = f"ledger row {entry.seq}: automatic decision"
    bundles = entry.details.get("votes")
    if not isinstance(bundles, list) or len(bundles) != 1 or entry.kind != Kind.APPROVED:
        raise IntegrityError(f"{name}: rests on no signed decision")
    decision = verify_bundle(store.get_bytes(str(bundles[0])), rules, trusted, name)
    made = datetime.fromisoformat(entry.time)
    if decision.method != "auto" or decision.binding != binding_of(request, rules):
        raise IntegrityError(f"{name}: was made about something else")
    if not decision.time - _AFTERWARDS <= made < decision.expires:
        raise IntegrityError(f"{name}: was signed at another time than it was entered")
    return Vote(entry, decision, str(bundles[0]))


def _claimed(bundle: bytes, name: str) -> Decision:
    document = parse_object(bundle, name, most_bytes=MOST_BYTES)
    try:
        payload = base64.b64decode(document["dsseEnvelope"]["payload"], validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise IntegrityError(f"{name}: is not signed") from error
    return decision_of(parse_object(payload, name, most_bytes=MOST_BYTES), name)


def _signed_content(
    bundle: bytes, claimed: Decision, rules: Rules, trusted: Trusted, name: str
) -> Mapping[str, Any]:
    if claimed.method in ("totp", "auto"):
        content, key = verify_signed(bundle, trusted.installation, name)
        trusted.not_revoked.verify(Signed(name, SignerIdentity(key.key_id)))
        return content
    voter = rules.voters.get(claimed.approver)
    if voter is None:
        raise IntegrityError(f"{name}: {claimed.approver} is not an approver, or not any more")
    if claimed.method == "key":
        if not voter.public_key:
            raise IntegrityError(f"{name}: no key is listed for {claimed.approver}")
        trusted.not_revoked.verify(Signed(name, SignerIdentity(voter.key().key_id)))
        return verify_statement(bundle, [voter.key()], name)
    if trusted.keyless is None or not voter.subject:
        raise IntegrityError(f"{name}: no keyless identity of {claimed.approver} can be verified here")
    certified, signer = trusted.keyless(bundle, name)
    trusted.not_revoked.verify(Signed(name, signer))
    if signer != voter.identity:
        raise IntegrityError(f"{name}: signed by {signer}, {claimed.approver} is {voter.identity}")
    return certified
