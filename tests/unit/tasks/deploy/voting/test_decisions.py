"""Decisions that count: what is in the ledger and the store afterwards, and how many it takes."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from infra.errors import PromotionDenied
from infra.ledger import Kind
from tasks.deploy.voting.automatic import approve_automatically
from tasks.deploy.voting.cast import cast_bundle
from tasks.deploy.voting.expiry import expire, why_expired
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.settle import settle
from tasks.deploy.voting.statement import PREDICATE_TYPE, decision_statement
from tests.unit.tasks.deploy.voting.people import OTHER, RELEASE, Town, answered

ASKED = [Kind.CANDIDATE, Kind.AWAITING_APPROVAL]


def test_an_approval_by_key(ada: Town) -> None:
    ada.ask()
    state = ada.sign("ada")
    assert (state.state, state.actor, state.reason) == ("approved", "ada", "looked at it")
    assert ada.kinds() == [*ASKED, Kind.NOTE, Kind.APPROVED]
    note, deciding = ada.entries()[-2:]
    assert deciding.details["votes"] == [note.details["bundle"]]
    assert (deciding.details["policy"], deciding.details["profile"]) == ("person", "production")
    decided = ada.prove()
    (vote,) = decided.votes
    assert (vote.decision.approver, vote.decision.method, vote.decision.decision) == ("ada", "key", "approve")
    assert why_expired(ada.open(), RELEASE) == ""


@pytest.mark.parametrize("drift_s", [-29, 0, 29])
def test_an_approval_by_one_time_code(ada: Town, drift_s: int) -> None:
    ada.ask()
    assert ada.enter_code("ada", ada.code("ada", drift_s)).state == "approved"
    (vote,) = ada.prove().votes
    assert (vote.decision.approver, vote.decision.method) == ("ada", "totp")
    assert vote.decision.code is not None


def test_a_rejection_is_signed_and_proven_like_an_approval(ada: Town) -> None:
    ada.ask()
    assert ada.sign("ada", "reject").state == "rejected"
    assert ada.kinds() == [*ASKED, Kind.NOTE, Kind.REJECTED]
    assert ada.prove().votes[0].decision.decision == "reject"


def test_a_decision_names_release_report_rules_and_request(ada: Town) -> None:
    ada.ask()
    content = decision_statement(ada.decision())
    asked = ada.entries()[-1]
    assert content["predicateType"] == PREDICATE_TYPE
    assert {each["name"]: "sha256:" + each["digest"]["sha256"] for each in content["subject"]} == {
        "release.json": RELEASE,
        "gate-report.json": asked.details["gate_report"],
    }
    assert content["predicate"]["binding"] == {
        "gates": asked.details["gates"],
        "rules": ada.rules().digest,
        "request": asked.digest,
    }


def test_a_decision_that_was_signed_elsewhere(ada: Town) -> None:
    workspace = ada.ask()
    bundle = ada.signer("ada").sign(decision_statement(ada.decision()))
    assert cast_bundle(workspace, RELEASE, answered("ada"), bundle).state == "approved"


def test_a_quorum_of_two(ada: Town) -> None:
    ada.write(quorum=2)
    ada.ask()
    assert ada.sign("ada").state == "awaiting-approval"
    assert ada.enter_code("grace").state == "approved"
    assert ada.kinds() == [*ASKED, Kind.NOTE, Kind.NOTE, Kind.APPROVED]
    assert ada.entries()[-1].actor == "ada, grace"
    assert len(ada.prove().votes) == 2


def test_one_rejection_outweighs_a_quorum(ada: Town) -> None:
    ada.write(quorum=2)
    ada.ask()
    ada.sign("ada")
    assert ada.sign("grace", "reject").state == "rejected"


def test_whoever_approved_may_still_reject(ada: Town) -> None:
    ada.write(quorum=2)
    ada.ask()
    ada.sign("ada")
    assert ada.sign("ada", "reject").state == "rejected"
    assert ada.prove().votes[0].decision.approver == "ada"


def test_separation_of_duty_takes_another_person_for_each_role(town: Town) -> None:
    town.person("ada", "release-manager", "security")
    town.person("grace")
    town.person("sam", "security")
    town.write(quorum=2, roles=["release-manager", "security"], one_of_each=["release-manager", "security"])
    town.ask()
    assert town.sign("ada").state == "awaiting-approval"
    assert town.sign("grace").state == "approved"
    town.ask(OTHER)
    assert town.sign("grace", release=OTHER).state == "awaiting-approval"
    town.write(quorum=1)
    assert town.sign("grace", release=OTHER).state == "awaiting-approval"
    assert town.sign("sam", release=OTHER).state == "approved"


def test_two_of_one_role_do_not_stand_for_two_roles(town: Town) -> None:
    for name in ("ada", "grace"):
        town.person(name)
    town.person("sam", "security")
    town.write(quorum=2, roles=["release-manager", "security"], one_of_each=["release-manager", "security"])
    town.ask()
    town.sign("ada")
    assert town.sign("grace").state == "awaiting-approval"
    assert town.sign("sam").state == "approved"


def test_a_delegate_decides_in_the_place_of_another(ada: Town) -> None:
    ada.person("bob", "guest")
    ada.delegate("ada", "bob", datetime.now(UTC) + timedelta(days=1))
    ada.ask()
    assert ada.sign("bob").state == "approved"
    (vote,) = ada.prove().votes
    assert (vote.decision.approver, vote.decision.on_behalf_of) == ("bob", "ada")


def test_votes_under_other_rules_do_not_count_and_can_be_given_again(ada: Town) -> None:
    ada.write(quorum=2)
    ada.ask()
    ada.sign("ada")
    ada.write(quorum=2, methods=["key"])
    assert ada.sign("grace").state == "awaiting-approval"
    assert ada.sign("ada").state == "approved"
    assert [vote.decision.approver for vote in ada.prove().votes] == ["grace", "ada"]


def test_a_rejection_counts_even_if_the_rules_change_before_it_is_settled(ada: Town) -> None:
    workspace = ada.ask()
    _vote_and_die(ada, "reject")
    ada.write(quorum=2)
    assert settle(workspace, RELEASE).state == "rejected"
    assert ada.prove().entry.kind == Kind.REJECTED


def test_a_crash_between_vote_and_decision_is_made_up_for(ada: Town) -> None:
    workspace = ada.ask()
    _vote_and_die(ada, "approve")
    assert ada.state() == "awaiting-approval"
    assert settle(workspace, RELEASE).state == "approved"
    assert settle(workspace, RELEASE).state == "approved"
    assert ada.kinds() == [*ASKED, Kind.NOTE, Kind.APPROVED]
    ada.prove()


def _vote_and_die(town: Town, decision: str) -> None:
    """The vote as it is entered, without what follows."""
    from tasks.deploy.voting import cast

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cast, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            town.sign("ada", decision)  # type: ignore[arg-type]


def test_an_approval_lapses_when_the_rules_change_and_is_asked_for_again(ada: Town) -> None:
    workspace = ada.ask()
    ada.sign("ada")
    ada.remove("ada")
    reason = why_expired(workspace, RELEASE)
    assert "rules for approval changed" in reason
    expire(workspace, RELEASE, reason)
    ada.ask()
    assert ada.state() == "awaiting-approval"
    assert ada.sign("grace").state == "approved"
    assert ada.prove().votes[0].decision.approver == "grace"


def test_an_approval_lapses_with_time(ada: Town) -> None:
    ada.timeout(1)
    workspace = ada.ask()
    ada.sign("ada")
    assert why_expired(workspace, RELEASE) == ""
    time.sleep(1.1)
    assert "not rolled out until" in why_expired(workspace, RELEASE)


@pytest.mark.parametrize("kinds", [(Kind.APPROVED,), ()])
def test_what_an_older_version_asked_or_approved_is_asked_again(ada: Town, kinds: tuple[Kind, ...]) -> None:
    workspace = ada.open()
    for kind in (*ASKED, *kinds):
        workspace.ledger.append(kind, project="triage", subject=RELEASE, actor="deploy", reason="older")
    assert "older version" in why_expired(workspace, RELEASE)
    with pytest.raises(DecisionRefused):
        ada.sign("ada")


def test_auto_is_signed_too_and_says_that_nobody_was_asked(town: Town) -> None:
    workspace = town.ask(profile="embedded")
    approve_automatically(workspace, RELEASE)
    assert town.kinds() == [*ASKED, Kind.APPROVED]
    decided = town.prove()
    (vote,) = decided.votes
    assert (vote.decision.approver, vote.decision.method) == ("policy:auto", "auto")
    assert "no person was asked" in vote.decision.reason
    assert why_expired(workspace, RELEASE) == ""


def test_an_automatic_approval_is_none_under_a_profile_that_asks(ada: Town) -> None:
    approve_automatically(ada.ask(profile="embedded"), RELEASE)
    assert "rules for approval changed" in why_expired(ada.open("production"), RELEASE)


def test_a_request_of_a_profile_that_asks_nobody_is_asked_again_where_people_decide(ada: Town) -> None:
    ada.ask(profile="embedded")
    assert "asks nobody" in why_expired(ada.open("production"), RELEASE)
    with pytest.raises(DecisionRefused) as caught:
        ada.sign("ada")
    assert caught.value.code == Why.WRONG_PROFILE


def test_auto_does_not_answer_what_was_asked_of_people(ada: Town) -> None:
    ada.ask()
    with pytest.raises(PromotionDenied, match="need a person's decision here"):
        approve_automatically(ada.open("embedded"), RELEASE)
    with pytest.raises(PromotionDenied, match="needs a person's decision"):
        approve_automatically(ada.open(), RELEASE)
    assert ada.kinds() == ASKED
