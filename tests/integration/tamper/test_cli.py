"""`assay release verify`: reason codes for programs; only a recorded rollback goes back in sequence."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from infra.checkpoints import Checkpoints
from infra.ledger import Kind, Ledger
from tests.integration.tamper.cases import GUARD
from tests.integration.tamper.packaged import Packaged


@pytest.fixture
def home(packaged: Packaged, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation whose champion is the packaged release."""
    shutil.copytree(packaged.keys.private.parent, packaged.home / "keys")
    monkeypatch.setenv("ASSAY_HOME", str(packaged.home))
    promote(packaged.home, packaged.manifest.digest)
    return packaged.home


def record(home: Path, kind: Kind, release: str, **details: str) -> None:
    Ledger(f"sqlite:///{home / 'ledger.db'}", Checkpoints(home)).append(
        kind, project="triage", subject=release, actor="ada", reason="test", details=details
    )


def promote(home: Path, release: str) -> None:
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION):
        record(home, kind, release)


def verify(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["release", "verify", "champion", "--json", *arguments])
    return done.exit_code, json.loads(done.stdout[: done.stdout.rindex("}") + 1])


def test_a_good_release_is_verified(home: Path) -> None:
    assert verify()[1]["verified"] is True


def test_a_refusal_has_its_reason(packaged: Packaged, home: Path) -> None:
    packaged.flip(GUARD)
    code, answer = verify()
    assert (code, answer["reason"]) == (1, "file-altered")
    assert f"{GUARD}: altered" in answer["error"]


def test_an_older_sequence_is_a_replay_until_a_rollback_is_recorded(packaged: Packaged, home: Path) -> None:
    older = packaged.manifest.digest
    assert verify("--at-least-sequence", "4")[0] == 0
    assert verify("--at-least-sequence", "5")[1]["reason"] == "replayed-sequence"
    shutil.copytree(packaged.release, home / "kept")
    packaged.seal(change=lambda document: document.update(sequence=5))
    newer = packaged.manifest.digest
    (home / "kept").rename(packaged.release.with_name(older.removeprefix("sha256:")))
    promote(home, newer)
    assert verify("--at-least-sequence", "5")[0] == 0
    record(home, Kind.ROLLED_BACK, newer, restores=older)
    assert verify("--at-least-sequence", "5") == (0, {"release": older, "files": 20, "verified": True})
