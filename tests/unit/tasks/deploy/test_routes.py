"""Routes are a projection of the ledger."""

from infra.ledger import ProjectState
from tasks.deploy.routes import routes_from

A, B, C = ("sha256:" + letter * 64 for letter in "abc")


def test_no_champion_no_route() -> None:
    snapshot = routes_from([ProjectState("triage", {})], generation=1)
    assert snapshot.models == {}
    assert snapshot.resident == ()


def test_champions_of_all_projects_are_routed_and_previous_ones_stay_resident() -> None:
    states = [
        ProjectState("triage", {}, champion=B, previous=A),
        ProjectState("weakness", {}, champion=C),
    ]
    snapshot = routes_from(states, generation=7)
    assert snapshot.models == {"triage": B, "weakness": C}
    assert set(snapshot.resident) == {A, B, C}
    assert snapshot.generation == 7


def test_a_staged_release_is_resident_but_not_routed() -> None:
    snapshot = routes_from([ProjectState("triage", {}, champion=A)], generation=2, staged=(B,))
    assert snapshot.models == {"triage": A}
    assert snapshot.staged == (B,)
    assert snapshot.resident == (A, B)
