"""`assay signing`, `assay audit` and `assay release quarantine` on a home whose key is under a passphrase."""

import json
from pathlib import Path

import pytest

from infra.ledger import Kind
from infra.workspace import Workspace, open_workspace
from tests.conftest import Configure
from tests.unit.flows.test_cli import assay

RELEASE = "sha256:" + "a" * 64
ROAD = (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION)


@pytest.fixture
def workspace(tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("SIGNING_PASSPHRASE", "correct horse battery staple")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    configure(signing={"passphrase": "env:SIGNING_PASSPHRASE"})
    workspace = open_workspace()
    for kind in ROAD:
        workspace.ledger.append(kind, project="triage", subject=RELEASE, actor="x", reason="test")
    return workspace


def test_a_lost_checkpoint_and_a_compromised_key_are_ended(workspace: Workspace) -> None:
    workspace.checkpoints.file.unlink()
    done = assay(workspace.home, "audit", "checkpoint", "--reason", "the disk was lost")
    assert done.returncode == 0, done.stderr
    done = assay(
        workspace.home, "signing", "rotate", "--compromised", "--reason", "a laptop was lost", "--json"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    shown = json.loads(assay(workspace.home, "signing", "show", "--json").stdout)
    assert (shown["installation"], shown["retired"]) == (told["installation"], [])
    assert workspace.ledger.entries()[-2].details == {"signing_key_compromised": told["replaced"]}
    assert workspace.ledger.verify() == len(ROAD) + 3


def test_quarantine_without_services_does_not_say_that_aliases_moved(workspace: Workspace) -> None:
    done = assay(
        workspace.home, "release", "quarantine", "champion", "--reason", "leaks its prompt", "--json"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["release"], told["champion"]) == (RELEASE, None)
    assert told["aliases"] == "the services do not run"
