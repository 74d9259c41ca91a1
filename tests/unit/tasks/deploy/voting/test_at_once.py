"""Several people at once, in processes of their own: every vote is kept, one decision is made."""

import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest

from infra.errors import AssayError, PromotionDenied
from infra.ledger import Kind
from tasks.deploy.voting.automatic import approve_automatically
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tests.unit.tasks.deploy.voting.people import OTHER, RELEASE, Town

DECIDING = (Kind.APPROVED, Kind.REJECTED)


def at_once(*acts: Callable[[], Any]) -> list[str]:
    """What each act came to, started together in processes of their own."""
    context = multiprocessing.get_context("fork")
    out: multiprocessing.Queue[tuple[int, str]] = context.Queue()
    barrier = context.Barrier(len(acts))

    def work(number: int) -> None:
        barrier.wait(30)
        try:
            acts[number]()
            out.put((number, "in"))
        except DecisionRefused as refused:
            out.put((number, refused.code.value))
        except AssayError as error:
            out.put((number, type(error).__name__))

    workers = [context.Process(target=work, args=(number,)) for number in range(len(acts))]
    for worker in workers:
        worker.start()
    results = dict(out.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(60)
    return [results[number] for number in range(len(acts))]


def one_decision(town: Town, release: str = RELEASE) -> Kind:
    (deciding,) = [kind for kind in town.kinds(release) if kind in DECIDING]
    town.prove(release)
    town.open().ledger.verify()
    return deciding


def test_two_approvers_at_once(ada: Town) -> None:
    ada.ask()
    results = at_once(lambda: ada.sign("ada"), lambda: ada.sign("grace"))
    # The second vote comes before the decision and counts, or after it and is refused; never half.
    assert sorted(results) in (["in", "in"], ["in", Why.NOT_WAITING])
    assert one_decision(ada) == Kind.APPROVED


def test_form_and_command_line_at_once(ada: Town) -> None:
    ada.ask()
    code = ada.code("ada")
    results = at_once(lambda: ada.sign("ada"), lambda: ada.enter_code("ada", code))
    assert results.count("in") == 1
    assert set(results) - {"in"} <= {Why.VOTED, Why.NOT_WAITING}
    assert one_decision(ada) == Kind.APPROVED
    assert len([e for e in ada.entries() if "vote" in e.details]) == 1


def test_approval_and_rejection_at_once(ada: Town) -> None:
    ada.ask()
    at_once(lambda: ada.sign("ada"), lambda: ada.sign("grace", "reject"))
    kind = one_decision(ada)
    votes = [e.details["vote"]["decision"] for e in ada.entries() if "vote" in e.details]
    # Whoever was in before the decision counts: a rejection among the votes cannot have been passed over.
    assert kind == (Kind.REJECTED if "reject" in votes else Kind.APPROVED)


def test_a_quorum_that_is_complete_at_once(ada: Town) -> None:
    ada.person("sam")
    ada.write(quorum=3)
    ada.ask()
    results = at_once(*(lambda name=name: ada.sign(name) for name in ("ada", "grace", "sam")))
    assert results == ["in"] * 3
    assert one_decision(ada) == Kind.APPROVED
    assert len(ada.prove().votes) == 3


def test_one_code_for_two_releases_at_once(ada: Town) -> None:
    ada.ask()
    ada.ask(OTHER)
    code = ada.code("ada")
    results = at_once(lambda: ada.enter_code("ada", code), lambda: ada.enter_code("ada", code, release=OTHER))
    assert sorted(results) == ["in", Why.REPLAYED]
    assert sorted([str(ada.state()), str(ada.state(OTHER))]) == ["approved", "awaiting-approval"]


def test_a_person_is_asked_while_a_policy_approves(ada: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = ada.ask(profile="embedded")
    read = opened.ledger.entries

    def read_and_lose_the_race() -> list[Any]:
        seen = read()
        ada.ask(OTHER)
        return seen

    monkeypatch.setattr(opened.ledger, "entries", read_and_lose_the_race)
    with pytest.raises(PromotionDenied, match="need a person's decision here"):
        approve_automatically(opened, RELEASE)
    assert ada.state() == "awaiting-approval"
