"""Quarantine without services: the ledger and the routes say so at once, whatever else is impossible."""

from pathlib import Path

import pytest

from infra.checkpoints import Checkpoints
from infra.config import load_project
from infra.errors import PromotionDenied
from infra.gateway.routes import read_snapshot
from infra.ledger import Kind, Ledger
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy.containment import contain
from tasks.deploy.routes import publish_routes

FIRST, SECOND, THIRD = ("sha256:" + digit * 64 for digit in "abc")
ROAD = (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    project = load_project(environ={"ASSAY_HOME": str(tmp_path / "home")})
    ledger = Ledger(project.ledger_url, Checkpoints(project.home))
    return Workspace("default", project, FileStore(tmp_path / "store"), ledger)


def enter(workspace: Workspace, release: str, *kinds: Kind, unit: str = "") -> None:
    name, details = workspace.project.name, {"unit": unit} if unit else None
    for kind in kinds:
        workspace.ledger.append(
            kind, project=name, subject=release, actor="x", reason="test", details=details
        )


def served(workspace: Workspace) -> dict[str, str]:
    return read_snapshot(workspace.run / "routes.json", workspace.keys / "signing.pub").models


def put_away(workspace: Workspace, release: str) -> tuple[str | None, str]:
    found = contain(workspace, None, release, actor="ada", reason="leaks its prompt")
    return found.champion, found.not_restored


def test_the_only_champion_is_stopped_and_nothing_serves(workspace: Workspace) -> None:
    enter(workspace, FIRST, *ROAD)
    publish_routes(workspace)
    assert put_away(workspace, FIRST) == (None, "there is no release before it")
    assert served(workspace) == {}
    last = workspace.ledger.entries()[-1]
    assert (last.kind, last.actor, last.reason) == (Kind.QUARANTINED, "ada", "leaks its prompt")


def test_without_services_the_release_before_cannot_be_loaded(
    workspace: Workspace,
) -> None:
    enter(workspace, FIRST, *ROAD)
    enter(workspace, SECOND, *ROAD)
    publish_routes(workspace)
    champion, problem = put_away(workspace, SECOND)
    assert (champion, problem) == (None, "no service runs that could load the release before it")
    assert served(workspace) == {}


def test_a_release_that_does_not_serve_leaves_the_champion_alone(workspace: Workspace) -> None:
    enter(workspace, FIRST, *ROAD)
    enter(workspace, SECOND, *ROAD)
    enter(workspace, THIRD, Kind.CANDIDATE, Kind.AWAITING_APPROVAL)
    publish_routes(workspace)
    assert put_away(workspace, FIRST) == (SECOND, "")
    assert put_away(workspace, THIRD) == (SECOND, "")
    assert served(workspace) == {workspace.project.name: SECOND}
    assert workspace.state().previous is None


def test_unknown_and_twice_are_refused(workspace: Workspace) -> None:
    with pytest.raises(PromotionDenied, match="is unknown"):
        put_away(workspace, FIRST)
    enter(workspace, FIRST, *ROAD)
    put_away(workspace, FIRST)
    with pytest.raises(PromotionDenied, match="is quarantined"):
        put_away(workspace, FIRST)


@pytest.mark.parametrize("kind", [Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION])
def test_nothing_leads_out_of_quarantine(workspace: Workspace, kind: Kind) -> None:
    enter(workspace, FIRST, *ROAD)
    put_away(workspace, FIRST)
    with pytest.raises(PromotionDenied, match="it is quarantined"):
        enter(workspace, FIRST, kind)


def test_the_same_unit_does_not_come_back_under_another_name(workspace: Workspace) -> None:
    enter(workspace, FIRST, *ROAD, unit="u")
    enter(workspace, SECOND, *ROAD, unit="u")
    enter(workspace, THIRD, *ROAD[:3], unit="u")
    found = contain(workspace, None, SECOND, actor="ada", reason="leaks its prompt")
    assert found.alike == (FIRST, THIRD)
    assert (found.champion, found.not_restored) == (None, "there is no release before it")
    assert {each.state for each in workspace.state().releases.values()} == {"quarantined"}


def test_another_unit_and_a_champion_that_was_not_named_go_on(workspace: Workspace) -> None:
    enter(workspace, FIRST, *ROAD, unit="u")
    enter(workspace, SECOND, *ROAD, unit="v")
    enter(workspace, THIRD, *ROAD, unit="u")
    assert put_away(workspace, FIRST) == (THIRD, "")
    assert workspace.state().of(SECOND) == "superseded"


def test_a_blocked_unit_takes_its_releases_with_it(workspace: Workspace) -> None:
    enter(workspace, FIRST, Kind.BLOCKED)
    enter(workspace, SECOND, *ROAD[:3], unit=FIRST)
    assert contain(workspace, None, FIRST, actor="ada", reason="leaks its prompt").alike == (SECOND,)
