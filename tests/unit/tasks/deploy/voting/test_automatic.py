"""Policy `auto`: signed, recorded as what it is, and never where a person once had to decide."""

from collections.abc import Callable

import pytest

from infra.errors import PromotionDenied
from infra.ledger import Kind
from infra.workspace import Workspace
from tasks.deploy.voting.automatic import approve_automatically
from tasks.deploy.voting.expiry import expire
from tests.unit.tasks.deploy.voting.people import OTHER, RELEASE, Town


def enter(opened: Workspace, kind: Kind, subject: str, details: dict[str, str] | None = None) -> None:
    opened.ledger.append(
        kind, project="triage", subject=subject, actor="deploy", reason="passed", details=details
    )


def requested(town: Town) -> None:
    town.ask()


def approved(town: Town) -> None:
    town.ask()
    town.sign("ada")


def rejected(town: Town) -> None:
    town.ask()
    town.sign("ada", "reject")


def cut_off(town: Town) -> None:
    """Killed between the two entries of a request."""
    enter(town.open(), Kind.CANDIDATE, RELEASE, {"policy": "person", "profile": "production"})


def before_requests_named_a_policy(town: Town) -> None:
    """A ledger of an older version: only the decision carries its policy."""
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL):
        enter(town.open(), kind, RELEASE)
    enter(town.open(), Kind.APPROVED, RELEASE, {"policy": "person"})


@pytest.mark.parametrize(
    "strict",
    [requested, approved, rejected, cut_off, before_requests_named_a_policy],
    ids=lambda f: f.__name__,
)
@pytest.mark.parametrize("profile", ["embedded", "thorough", "blocked"])
def test_no_profile_loosens_a_home_in_which_persons_decided(
    ada: Town, strict: Callable[[Town], None], profile: str
) -> None:
    strict(ada)
    loose = ada.ask(OTHER, profile=profile)
    with pytest.raises(PromotionDenied, match="need a person's decision here: ledger entry") as denied:
        approve_automatically(loose, OTHER)
    assert "ASSAY_HOME" in denied.value.hint
    assert loose.state().of(OTHER) == "awaiting-approval"


def test_the_very_release_that_waits_for_a_person_is_not_approved_by_another_profile(ada: Town) -> None:
    ada.ask()
    with pytest.raises(PromotionDenied, match="profile 'production'"):
        approve_automatically(ada.open("embedded"), RELEASE)
    assert ada.state() == "awaiting-approval"


def test_auto_is_refused_where_a_person_is_needed(town: Town) -> None:
    with pytest.raises(PromotionDenied, match="needs a person"):
        approve_automatically(town.ask(), RELEASE)
    assert town.state() == "awaiting-approval"


def test_auto_needs_a_release_that_waits(town: Town) -> None:
    with pytest.raises(PromotionDenied, match="unknown"):
        approve_automatically(town.open("embedded"), RELEASE)


def test_another_project_of_the_same_ledger_is_not_pinned(town: Town) -> None:
    opened = town.ask(profile="embedded")
    opened.ledger.append(
        Kind.CANDIDATE,
        project="tickets",
        subject=OTHER,
        actor="deploy",
        reason="passed",
        details={"policy": "person"},
    )
    approve_automatically(opened, RELEASE)
    assert town.state() == "approved"


def test_that_nobody_answered_in_time_pins_nothing(town: Town) -> None:
    expire(town.ask(profile="embedded"), RELEASE, "nobody decided")
    approve_automatically(town.ask(profile="embedded"), RELEASE)
    assert town.state() == "approved"


def test_an_older_ledger_without_policies_goes_on_by_itself(town: Town) -> None:
    opened = town.open("embedded")
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION):
        enter(opened, kind, OTHER)
    enter(opened, Kind.BLOCKED, "sha256:" + "c" * 64, {"policy": "sha256:" + "d" * 64})
    approve_automatically(town.ask(profile="embedded"), RELEASE)
    assert town.state() == "approved"


def test_the_record_says_that_nobody_was_asked(town: Town) -> None:
    approve_automatically(town.ask(profile="embedded"), RELEASE)
    entry = town.entries()[-1]
    assert (entry.kind, entry.actor, entry.details["policy"]) == (Kind.APPROVED, "policy:auto", "auto")
    assert "no person was asked" in entry.reason
    assert "all gates" not in entry.reason
