"""The installation's key is replaced; of a compromised one nothing counts, also after a kill."""

from pathlib import Path

import pytest

from infra.checkpoints import Checkpoints
from infra.config import load_project
from infra.config.signing import SigningSettings
from infra.gateway.routes import read_snapshot
from infra.ledger import Kind, Ledger
from infra.signing.keys import load_private_key
from infra.signing.rotation import retired_keys
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy.audit import export_archive
from tasks.deploy.rotation import replace_signing_key
from tasks.deploy.routes import publish_routes
from tests.integration.killed import Event, survives
from tests.integration.signing.test_rotation import counts, signed

RELEASE = "sha256:" + "a" * 64
ROAD = (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION)


def open_home(home: Path, passphrase: str = "") -> Workspace:
    project = load_project(environ={"ASSAY_HOME": str(home)})
    project = project.model_copy(update={"signing": SigningSettings(passphrase=passphrase or None)})
    ledger = Ledger(project.ledger_url, Checkpoints(home, passphrase))
    return Workspace("default", project, FileStore(home / "store"), ledger)


def with_champion(home: Path) -> Workspace:
    workspace = open_home(home)
    for kind in ROAD:
        workspace.ledger.append(kind, project="triage", subject=RELEASE, actor="x", reason="test")
    publish_routes(workspace)
    return workspace


def replace_it(workspace: Workspace, *, compromised: bool) -> None:
    replace_signing_key(workspace, actor="ada", reason="a laptop was lost", compromised=compromised)


@pytest.mark.parametrize("compromised", [False, True])
def test_ledger_and_routes_go_on_under_the_new_key(tmp_path: Path, compromised: bool) -> None:
    workspace = with_champion(tmp_path)
    before, present = signed(tmp_path), publish_routes(workspace)
    replace_it(workspace, compromised=compromised)
    assert counts(tmp_path, before) is not compromised
    assert len(retired_keys(workspace.keys)) == (0 if compromised else 1)
    after = read_snapshot(workspace.run / "routes.json", workspace.keys / "signing.pub")
    assert after.models == present.models
    # A gateway that runs takes no snapshot whose generation does not grow.
    assert after.generation > present.generation
    assert workspace.checkpoints.newest() == Checkpoints(tmp_path).newest()
    assert workspace.ledger.append(
        Kind.NOTE, project="triage", subject="x", actor="ada", reason="the ledger goes on"
    )


def test_routes_that_cannot_be_read_do_not_keep_a_compromised_key(tmp_path: Path) -> None:
    workspace = with_champion(tmp_path)
    before = signed(tmp_path)
    (workspace.run / "routes.json").write_text("{}")
    replace_it(workspace, compromised=True)
    assert not counts(tmp_path, before)
    assert read_snapshot(workspace.run / "routes.json", workspace.keys / "signing.pub").models


def test_killed_anywhere_another_run_voids_the_compromised_key(tmp_path: Path) -> None:
    def matters(event: str, _: Event) -> bool:
        return event in {"os.remove", "os.rename", "os.link"}

    step, kills = 1, 0
    while True:
        home = tmp_path / str(step)
        with_champion(home)
        before = signed(home)
        if survives(lambda at=home: replace_it(open_home(at), compromised=True), step, matters):  # type: ignore[misc]
            break
        again = open_home(home)
        again.ledger.intact()
        replace_it(again, compromised=True)
        assert not counts(home, before), step
        assert counts(home, signed(home)), step
        again.ledger.intact()
        assert read_snapshot(again.run / "routes.json", again.keys / "signing.pub").models, step
        step, kills = step + 1, kills + 1
    assert kills > 8


def test_under_a_passphrase_checkpoints_are_still_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNING_PASSPHRASE", "correct horse battery staple")
    workspace = open_home(tmp_path, "env:SIGNING_PASSPHRASE")
    workspace.ledger.append(Kind.NOTE, project="triage", subject="x", actor="ada", reason="signed")
    Ledger(workspace.ledger.url).append(
        Kind.NOTE, project="triage", subject="x", actor="ada", reason="a kill left this one unsigned"
    )
    export_archive(workspace, tmp_path / "audit.tar")
    newest = workspace.checkpoints.newest()
    assert newest is not None
    assert newest.size == 2
    replace_it(workspace, compromised=True)
    assert load_private_key(workspace.keys / "signing.pem", "env:SIGNING_PASSPHRASE")
