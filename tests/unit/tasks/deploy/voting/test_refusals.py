"""Every way in which a decision does not count, by name; each is in the ledger before it is raised."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from infra.errors import PromotionDenied
from infra.ledger import Kind
from infra.signing.keys import ensure_key, load_private_key
from infra.signing.signer import KeySigner
from tasks.deploy.voting.cast import cast_bundle, cast_signed
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.seeds import MOST_WRONG_CODES
from tasks.deploy.voting.statement import decision_statement
from tests.unit.tasks.deploy.voting.people import OTHER, RELEASE, Town, answered


def refused(town: Town, why: Why, act: Callable[[], object], *, noted: bool = True) -> DecisionRefused:
    """`act` is refused for this reason; the release still waits, and a note in the ledger says why."""
    before = town.state()
    with pytest.raises(DecisionRefused) as caught:
        act()
    assert caught.value.code == why
    assert isinstance(caught.value, PromotionDenied)
    assert caught.value.exit_code == 3
    if noted:
        assert town.refusals()[-1] == why
    if why != Why.EXPIRED:
        assert town.state() == before
    return caught.value


def test_nobody_listed_rejects_everything_and_says_what_to_write(town: Town) -> None:
    town.person("ada")
    town.ask()
    town.remove("ada")
    error = refused(town, Why.NOBODY_LISTED, lambda: town.sign("ada"))
    assert "approvers.yaml lists no approver" in error.message
    assert "approvers:\n  NAME:\n    roles: [release-manager]\n    key:" in error.hint


def test_whoever_started_the_run_cannot_approve(ada: Town) -> None:
    ada.ask(started_by=("night", "ada"))
    error = refused(ada, Why.SELF_APPROVAL, lambda: ada.sign("ada"))
    assert "ada started the run" in error.message
    assert ada.sign("grace").state == "approved"


def test_whoever_trained_the_adapter_cannot_approve_under_another_account(town: Town) -> None:
    town.person("ada", accounts=["A.Lovelace"])
    town.ask(trained_by="a.lovelace")
    error = refused(town, Why.SELF_APPROVAL, lambda: town.sign("ada"))
    assert "trained the adapter" in error.message


def test_whoever_started_the_run_cannot_approve_through_a_delegate(ada: Town) -> None:
    ada.person("bob", "guest")
    ada.delegate("ada", "bob", datetime.now(UTC) + timedelta(days=1))
    ada.ask(started_by=("ada",))
    refused(ada, Why.SELF_APPROVAL, lambda: ada.sign("bob"))
    refused(ada, Why.SELF_APPROVAL, lambda: ada.sign("bob", on_behalf_of="ada"))


def test_whoever_started_the_run_may_reject(ada: Town) -> None:
    ada.ask(started_by=("ada",))
    assert ada.sign("ada", "reject").state == "rejected"


@pytest.mark.parametrize(
    "origin", [{"trained_by": ""}, {"started_by": ()}, {"started_by": ("night", "")}], ids=str
)
def test_an_origin_that_nobody_recorded_cannot_be_approved(ada: Town, origin: dict[str, str]) -> None:
    ada.ask(**origin)  # type: ignore[arg-type]
    refused(ada, Why.ORIGIN_UNKNOWN, lambda: ada.sign("ada"))
    ada.write(four_eyes=False)
    assert ada.sign("ada").state == "approved"


def test_a_role_that_does_not_decide(ada: Town) -> None:
    ada.person("bob", "engineer")
    ada.ask()
    error = refused(ada, Why.ROLE, lambda: ada.sign("bob"))
    assert "has engineer, profile 'production' needs release-manager" in error.message


def test_a_removed_approver(ada: Town) -> None:
    ada.ask()
    ada.remove("ada")
    error = refused(ada, Why.UNKNOWN_APPROVER, lambda: ada.sign("ada"))
    assert "grace" in error.hint


def test_a_removed_approvers_code(ada: Town) -> None:
    ada.ask()
    code = ada.code("ada")
    ada.remove("ada")
    refused(ada, Why.UNKNOWN_APPROVER, lambda: ada.enter_code("ada", code))


@pytest.mark.parametrize("name", ["policy:auto", "policy:timeout", "   ", "", "mallory\n", "<b>"])
def test_names_that_nobody_has(ada: Town, name: str) -> None:
    ada.ask()
    refused(ada, Why.UNKNOWN_APPROVER, lambda: ada.enter_code(name, "123456"))


def test_a_delegation_that_lapsed(ada: Town) -> None:
    ada.person("bob", "guest")
    ada.delegate("ada", "bob", datetime.now(UTC) - timedelta(seconds=1))
    ada.ask()
    error = refused(ada, Why.DELEGATION, lambda: ada.sign("bob"))
    assert "lapsed" in error.message
    refused(ada, Why.DELEGATION, lambda: ada.sign("bob", on_behalf_of="ada"))
    error = refused(ada, Why.DELEGATION, lambda: ada.sign("bob", on_behalf_of="grace"))
    assert "there is none" in error.message


def test_a_delegation_of_somebody_who_could_not_decide_either(ada: Town) -> None:
    ada.person("eve", "engineer")
    ada.person("bob", "guest")
    ada.delegate("eve", "bob", datetime.now(UTC) + timedelta(days=1))
    ada.ask()
    refused(ada, Why.ROLE, lambda: ada.sign("bob", on_behalf_of="eve"))


def test_a_delegation_is_not_passed_on(ada: Town) -> None:
    for name in ("bob", "eve"):
        ada.person(name, "guest")
    ada.delegate("ada", "bob", datetime.now(UTC) + timedelta(days=1))
    ada.delegate("bob", "eve", datetime.now(UTC) + timedelta(days=1))
    ada.ask()
    refused(ada, Why.ROLE, lambda: ada.sign("eve"))
    refused(ada, Why.DELEGATION, lambda: ada.sign("eve", on_behalf_of="ada"))


def test_a_way_of_proof_that_does_not_count_here(ada: Town) -> None:
    ada.write(methods=["key"])
    ada.ask()
    error = refused(ada, Why.METHOD, lambda: ada.enter_code("ada"))
    assert "ways that count: key" in error.hint


def test_a_key_of_somebody_else_is_no_signature(ada: Town) -> None:
    ada.ask()
    error = refused(ada, Why.UNSIGNED, lambda: ada.sign("ada", key_of="grace"))
    assert "not trusted" in error.message


def test_the_installations_key_signs_for_nobody_with_a_key(ada: Town) -> None:
    workspace = ada.ask()
    signer = KeySigner(load_private_key(ensure_key(ada.home).private))
    bundle = signer.sign(decision_statement(ada.decision()))
    refused(ada, Why.UNSIGNED, lambda: cast_bundle(workspace, RELEASE, answered("ada"), bundle))


def test_an_approver_cannot_sign_for_one_time_codes(ada: Town) -> None:
    workspace = ada.ask()
    decision = ada.decision("grace", method="totp", code=OTHER)
    bundle = ada.signer("ada").sign(decision_statement(decision))
    refused(ada, Why.UNSIGNED, lambda: cast_bundle(workspace, RELEASE, answered("grace"), bundle))


def test_an_unsigned_statement(ada: Town) -> None:
    import json

    workspace = ada.ask()
    for bundle in (b"{}", b"", json.dumps(decision_statement(ada.decision())).encode()):
        refused(ada, Why.UNSIGNED, lambda data=bundle: cast_bundle(workspace, RELEASE, answered("ada"), data))


@pytest.mark.parametrize("part", ["gate_report", "gates", "rules", "request"])
def test_a_decision_about_something_else(ada: Town, part: str) -> None:
    workspace = ada.ask()
    decision = ada.decision()
    other = decision.model_copy(update={"binding": decision.binding.model_copy(update={part: OTHER})})
    bundle = ada.signer("ada").sign(decision_statement(other))
    error = refused(ada, Why.WRONG_SUBJECT, lambda: cast_bundle(workspace, RELEASE, answered("ada"), bundle))
    assert f"another {part.replace('_', ' ')}: got {OTHER}, expected" in error.message


def test_a_decision_about_another_release(ada: Town) -> None:
    ada.ask(OTHER)
    workspace = ada.ask()
    bundle = ada.signer("ada").sign(decision_statement(ada.decision()))
    with pytest.raises(DecisionRefused, match="another release") as caught:
        cast_bundle(workspace, OTHER, answered("ada"), bundle)
    assert caught.value.code == Why.WRONG_SUBJECT
    assert (ada.state(OTHER), ada.state()) == ("awaiting-approval", "awaiting-approval")


def test_a_signed_decision_counts_for_one_request_only(ada: Town) -> None:
    ada.timeout(1)
    workspace = ada.ask()
    now = datetime.now(UTC)
    decision = ada.decision(time=now, expires=now + timedelta(seconds=1))
    bundle = ada.signer("ada").sign(decision_statement(decision))
    time.sleep(1.1)
    refused(ada, Why.EXPIRED, lambda: ada.sign("ada"))
    ada.ask()
    error = refused(ada, Why.WRONG_SUBJECT, lambda: cast_bundle(workspace, RELEASE, answered("ada"), bundle))
    assert "another request" in error.message


@pytest.mark.parametrize(
    ("signed", "counts", "message"),
    [
        (timedelta(minutes=-10), timedelta(hours=1), "not now"),
        (timedelta(minutes=10), timedelta(hours=1), "not now"),
        (timedelta(), timedelta(days=3), "longer than"),
    ],
)
def test_a_decision_of_another_time(ada: Town, signed: timedelta, counts: timedelta, message: str) -> None:
    workspace = ada.ask()
    made = datetime.now(UTC) + signed
    bundle = ada.signer("ada").sign(decision_statement(ada.decision(time=made, expires=made + counts)))
    error = refused(ada, Why.EXPIRED, lambda: cast_bundle(workspace, RELEASE, answered("ada"), bundle))
    assert message in error.message
    assert ada.state() == "awaiting-approval"


def test_a_request_that_expired_is_recorded_as_that(ada: Town) -> None:
    ada.timeout(1)
    ada.ask()
    time.sleep(1.1)
    refused(ada, Why.EXPIRED, lambda: ada.sign("ada"))
    assert ada.state() == "expired"
    assert ada.entries()[-1].kind == Kind.EXPIRED
    refused(ada, Why.NOT_WAITING, lambda: ada.sign("grace"))


def test_after_a_rejection_nobody_approves(ada: Town) -> None:
    ada.ask()
    assert ada.sign("grace", "reject").state == "rejected"
    error = refused(ada, Why.NOT_WAITING, lambda: ada.sign("ada"))
    assert "rejected by grace" in error.message
    refused(ada, Why.NOT_WAITING, lambda: ada.enter_code("ada"))


def test_a_release_that_nobody_asked_about(ada: Town) -> None:
    with pytest.raises(DecisionRefused, match="unknown"):
        ada.sign("ada")
    assert ada.entries() == []


def test_a_decision_cannot_choose_an_easier_profile(ada: Town) -> None:
    ada.ask(profile="thorough")
    error = refused(ada, Why.WRONG_PROFILE, lambda: ada.sign("ada"))
    assert "profile 'thorough'" in error.message


def test_nobody_votes_where_nobody_is_asked(ada: Town) -> None:
    opened = ada.ask(profile="embedded")
    with pytest.raises(DecisionRefused, match="decides by itself") as caught:
        cast_signed(opened, RELEASE, answered("ada"), ada.signer("ada"))
    assert caught.value.code == Why.WRONG_PROFILE


def test_a_second_vote_of_the_same_person(ada: Town) -> None:
    ada.write(quorum=2)
    ada.ask()
    assert ada.sign("ada").state == "awaiting-approval"
    refused(ada, Why.VOTED, lambda: ada.sign("ada"))
    refused(ada, Why.VOTED, lambda: ada.enter_code("ada"))
    assert ada.sign("grace").state == "approved"


def test_one_seat_has_one_vote_whoever_takes_it(ada: Town) -> None:
    ada.write(quorum=2)
    ada.person("bob", "guest")
    ada.delegate("ada", "bob", datetime.now(UTC) + timedelta(days=1))
    ada.ask()
    assert ada.sign("bob").state == "awaiting-approval"
    refused(ada, Why.VOTED, lambda: ada.sign("ada"))
    assert ada.sign("grace").state == "approved"
    assert ada.entries()[-1].actor == "bob, grace"


def test_a_wrong_code(ada: Town) -> None:
    ada.ask()
    wrong = f"{(int(ada.code('ada')) + 500_000) % 1_000_000:06d}"
    refused(ada, Why.WRONG_CODE, lambda: ada.enter_code("ada", wrong))
    refused(ada, Why.WRONG_CODE, lambda: ada.enter_code("ada", ada.code("grace")))


@pytest.mark.parametrize("drift_s", [-90, 90])
def test_a_code_of_another_time(ada: Town, drift_s: int) -> None:
    ada.ask()
    refused(ada, Why.WRONG_CODE, lambda: ada.enter_code("ada", ada.code("ada", drift_s)))


def test_no_code_at_all(ada: Town) -> None:
    ada.ask()
    refused(ada, Why.UNSIGNED, lambda: ada.enter_code("ada", " "))


def test_guessing_ends(ada: Town) -> None:
    ada.ask()
    for _ in range(MOST_WRONG_CODES):
        refused(ada, Why.WRONG_CODE, lambda: ada.enter_code("ada", ada.code("ada", 3600)))
    refused(ada, Why.TOO_MANY_CODES, lambda: ada.enter_code("ada"))
    assert ada.enter_code("grace").state == "approved"


def test_a_code_is_good_once(ada: Town) -> None:
    ada.write(quorum=2)
    ada.ask()
    ada.ask(OTHER)
    code = ada.code("ada")
    assert ada.enter_code("ada", code).state == "awaiting-approval"
    with pytest.raises(DecisionRefused, match="used before") as caught:
        ada.enter_code("ada", code, release=OTHER)
    assert caught.value.code == Why.REPLAYED


def test_a_code_is_used_up_by_a_refused_decision_too(ada: Town) -> None:
    ada.ask(started_by=("ada",))
    code = ada.code("ada")
    refused(ada, Why.SELF_APPROVAL, lambda: ada.enter_code("ada", code))
    refused(ada, Why.REPLAYED, lambda: ada.enter_code("ada", code, "reject"))


def test_codes_whose_seed_is_open_to_others_do_not_count(ada: Town) -> None:
    ada.ask()
    code = ada.code("ada")
    (ada.home / "keys" / "approvers" / "ada" / "totp").chmod(0o644)
    error = refused(ada, Why.METHOD, lambda: ada.enter_code("ada", code))
    assert "can be read by others" in error.message


@pytest.mark.parametrize("reason", ["", "ok", "a\x1b[31mb c", "x" * 3000])
def test_reasons_that_are_none(ada: Town, reason: str) -> None:
    workspace = ada.ask()
    answer = answered("ada").model_copy(update={"reason": reason})
    refused(ada, Why.UNUSABLE, lambda: cast_signed(workspace, RELEASE, answer, ada.signer("ada")))
