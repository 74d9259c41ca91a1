"""What is proven offline: one altered bit anywhere between approver and ledger, and it is not."""

import base64
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.digest import canonical_json
from infra.errors import IntegrityError
from infra.ledger import Entry, Kind, Ledger
from infra.signing import create_key
from infra.signing.keys import load_private_key, load_public_key
from infra.signing.signer import KeySigner, SignerIdentity
from infra.store import FileStore
from tasks.deploy.voting.audit import audit_decisions
from tasks.deploy.voting.proof import Trusted, check_decision, verify_bundle
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.statement import decision_of, decision_statement
from tests.unit.tasks.deploy.voting.people import OTHER, RELEASE, Town


@pytest.fixture
def decided(ada: Town) -> Town:
    ada.ask()
    ada.enter_code("ada")
    return ada


def proven(town: Town, entries: list[Entry], key: Path | None = None) -> None:
    trusted = Trusted([load_public_key(key or town.home / "keys" / "signing.pub")])
    check_decision(entries, town.open().store, "triage", RELEASE, trusted)


def test_a_copy_is_proven_without_the_installation(decided: Town, tmp_path: Path) -> None:
    copy = tmp_path / "auditor"
    shutil.copytree(decided.home / "store", copy / "store")
    with sqlite3.connect(decided.home / "ledger.db") as source, sqlite3.connect(copy / "ledger.db") as target:
        source.backup(target)
    shutil.copy(decided.home / "keys" / "signing.pub", copy / "signing.pub")
    decided.remove("ada")
    shutil.rmtree(decided.home)
    ledger = Ledger(f"sqlite:///{copy / 'ledger.db'}")
    found = check_decision(
        ledger.entries(),
        FileStore(copy / "store"),
        "triage",
        RELEASE,
        Trusted([load_public_key(copy / "signing.pub")]),
    )
    assert found.votes[0].decision.approver == "ada"
    assert found.rules.four_eyes


def test_a_ledger_that_was_not_touched_is_proven(decided: Town) -> None:
    proven(decided, decided.entries())


def test_an_approval_without_a_vote(ada: Town) -> None:
    workspace = ada.ask()
    details = {"policy": "person", "profile": "production", "votes": [], "rules": ada.rules().digest}
    workspace.store.put_bytes(ada.rules().to_bytes())
    workspace.ledger.append(
        Kind.APPROVED, project="triage", subject=RELEASE, actor="ada", reason="said so", details=details
    )
    with pytest.raises(IntegrityError, match="its votes say nothing"):
        ada.prove()


@pytest.mark.parametrize("change", [{"approver": "grace"}, {"decision": "reject"}, {"reason": "another one"}])
def test_a_vote_that_the_ledger_tells_differently(decided: Town, change: dict[str, str]) -> None:
    ledger = decided.open().ledger
    vote = next(e for e in ledger.entries() if "vote" in e.details)
    forged = {**vote.details["vote"], **change}
    _overwrite(decided, vote, {**vote.details, "vote": forged})
    with pytest.raises(IntegrityError, match=r"something else than what is signed|its votes say"):
        proven(decided, _rechained(decided))


def test_a_bundle_of_another_installation(decided: Town, tmp_path: Path) -> None:
    other = create_key(tmp_path / "other")
    with pytest.raises(IntegrityError, match="not trusted"):
        proven(decided, decided.entries(), other.public)


def test_a_bundle_that_was_lost_or_altered(decided: Town) -> None:
    vote = next(e for e in decided.entries() if "vote" in e.details)
    file = decided.open().store.path_of(vote.details["bundle"])
    good = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(good.replace(b"sha256", b"sha255"))
    with pytest.raises(IntegrityError, match="altered"):
        decided.prove()
    file.unlink()
    with pytest.raises(IntegrityError, match="no object"):
        decided.prove()


def test_rules_that_were_swapped(decided: Town) -> None:
    file = decided.open().store.path_of(decided.rules().digest)
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b'"four_eyes":true', b'"four_eyes":false'))
    with pytest.raises(IntegrityError, match="altered"):
        decided.prove()


def test_a_vote_that_should_not_have_been_entered(ada: Town) -> None:
    """Somebody who writes to the database directly, with a properly signed vote of the trainer."""
    workspace = ada.ask(trained_by="ada")
    decision = ada.decision()
    bundle = workspace.store.put_bytes(ada.signer("ada").sign(decision_statement(decision)))
    workspace.store.put_bytes(ada.rules().to_bytes())
    details = {"vote": decision.model_dump(mode="json"), "bundle": bundle}
    workspace.ledger.append(
        Kind.NOTE, project="triage", subject=RELEASE, actor="ada", reason="sneaked in", details=details
    )
    workspace.ledger.append(
        Kind.APPROVED,
        project="triage",
        subject=RELEASE,
        actor="ada",
        reason="sneaked in",
        details={"votes": [bundle], "rules": ada.rules().digest},
    )
    with pytest.raises(DecisionRefused, match="row 3 should not be there") as caught:
        ada.prove()
    assert caught.value.code == Why.SELF_APPROVAL


def test_a_note_that_only_looks_like_a_vote_is_named(ada: Town) -> None:
    workspace = ada.ask()
    workspace.ledger.append(
        Kind.NOTE, project="triage", subject=RELEASE, actor="x", reason="x", details={"vote": {"a": 1}}
    )
    with pytest.raises(IntegrityError, match="row 3 is no vote"):
        ada.sign("ada")


def test_undecided_is_not_proven(ada: Town) -> None:
    with pytest.raises(IntegrityError, match="no decision"):
        ada.prove()
    ada.ask()
    with pytest.raises(IntegrityError, match="no decision"):
        ada.prove()


def _statements(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    predicate = content["predicate"]
    return {
        "another type": {**content, "predicateType": "urn:assay:waiver:v1"},
        "no predicate": {**content, "predicate": None},
        "an unknown field": {**content, "predicate": {**predicate, "note": "x"}},
        "another subject": {**content, "subject": content["subject"][:1]},
        "the release in two places": {
            **content,
            "predicate": {**predicate, "binding": {**predicate["binding"], "release": OTHER}},
        },
        "a time in another spelling": {
            **content,
            "predicate": {**predicate, "time": predicate["time"].replace("Z", "+00:00")},
        },
        "a code without its method": {**content, "predicate": {**predicate, "code": OTHER}},
        "a policy by key": {**content, "predicate": {**predicate, "approver": "policy:auto"}},
        "two lines as a reason": {**content, "predicate": {**predicate, "reason": "two\nlines"}},
        "expired before it was made": {**content, "predicate": {**predicate, "expires": predicate["time"]}},
    }


def test_statements_that_are_no_decision(ada: Town) -> None:
    ada.ask()
    good = decision_statement(ada.decision())
    assert decision_of(good, "good") == ada.decision(
        time=decision_of(good, "good").time, expires=decision_of(good, "good").expires
    )
    for what, content in _statements(good).items():
        with pytest.raises(IntegrityError):
            pytest.fail(f"{what}: {decision_of(content, what)}")


def test_a_payload_that_was_swapped_under_its_signature(ada: Town) -> None:
    ada.ask()
    bundle = json.loads(ada.signer("ada").sign(decision_statement(ada.decision())))
    other = canonical_json(decision_statement(ada.decision(decision="reject")))
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(other).decode()
    with pytest.raises(IntegrityError, match="signature does not fit"):
        verify_bundle(json.dumps(bundle).encode(), ada.rules(), Trusted([]), "swapped")


def test_keyless_needs_a_verifier_and_the_listed_identity(ada: Town, tmp_path: Path) -> None:
    identity = {"subject": "ada@example.org", "issuer": "https://issuer.example.org"}
    ada.people["ada"]["identity"] = identity
    ada.write()
    ada.ask()
    rules, decision = ada.rules(), ada.decision(method="keyless")
    signer = KeySigner(load_private_key(create_key(tmp_path / "certified").private))
    bundle = signer.sign(decision_statement(decision))
    with pytest.raises(IntegrityError, match="no keyless identity of ada"):
        verify_bundle(bundle, rules, Trusted([]), "keyless")
    found = [SignerIdentity(**identity)]

    def check(data: bytes, name: str) -> tuple[dict[str, Any], SignerIdentity]:
        return decision_statement(decision), found[-1]

    assert verify_bundle(bundle, rules, Trusted([], keyless=check), "keyless") == decision
    for change in ({"subject": "eve@example.org"}, {"issuer": "https://other.example.org"}):
        found.append(SignerIdentity(**(identity | change)))
        with pytest.raises(IntegrityError, match=r"signed by .*, ada is ada@example\.org by"):
            verify_bundle(bundle, rules, Trusted([], keyless=check), "keyless")
    other = ada.decision("grace", method="keyless")
    with pytest.raises(IntegrityError, match="no keyless identity of grace"):
        verify_bundle(signer.sign(decision_statement(other)), rules, Trusted([], keyless=check), "keyless")


def _overwrite(town: Town, entry: Entry, details: dict[str, Any]) -> None:
    with sqlite3.connect(town.home / "ledger.db") as connection:
        text = canonical_json(details).decode()
        connection.execute("UPDATE ledger SET details = ? WHERE seq = ?", (text, entry.seq))


def _rechained(town: Town) -> list[Entry]:
    """The entries with digests that fit again, as somebody who writes to the database could leave them."""
    with sqlite3.connect(town.home / "ledger.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM ledger ORDER BY seq")]
    chain: list[Entry] = []
    for row in rows:
        content = {"kind": Kind(row["kind"]), "details": json.loads(row["details"])}
        entry = Entry(**{**row, **content, "previous": chain[-1].digest if chain else row["previous"]})
        chain.append(replace(entry, digest=entry.computed_digest()))
    return chain


def test_an_audit_names_who_decided_by_what_and_what_is_not_proven(decided: Town) -> None:
    decided.ask(OTHER)
    (row,) = audit_decisions(decided.open())
    assert (row.release, row.decision, row.proven) == (RELEASE, "approved", True)
    assert row.detail == f"ada by totp; rules {decided.rules().digest} (in force)"
    decided.remove("grace")
    assert "earlier" in audit_decisions(decided.open())[0].detail
    ledger = decided.open().ledger
    ledger.append(Kind.REJECTED, project="triage", subject=OTHER, actor="eve", reason="unsigned")
    rows = audit_decisions(decided.open())
    assert [(row.release, row.proven) for row in rows] == [(RELEASE, True), (OTHER, False)]
