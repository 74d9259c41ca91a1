"""The command line: exit codes, clear errors, JSON, a quick `--help`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.checkpoints import Checkpoints
from infra.ledger import Kind, Ledger

HEAVY = ("prefect", "mlflow", "torch", "transformers", "pandas", "great_expectations", "datasets")


def assay(home: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "ASSAY_HOME": str(home), **environment}
    command = [sys.executable, "-m", "flows.cli", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)


def test_help_imports_nothing_heavy() -> None:
    code = f"import flows.cli, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("release", "list", "--profile", "embeded"), 2, "did you mean 'embedded'?"),
        (("release", "list", "--project", "weaknes"), 2, "did you mean 'weakness'?"),
        (("release", "show", "sha256:abc"), 1, "unknown release 'sha256:abc'"),
        (("release", "verify", "feed"), 1, "unknown release 'feed'"),
        (("run", "lifecycle"), 1, "assay up"),
        (("run", "nothing"), 2, "nothing"),
        (("keys", "revoke", "unknown"), 2, "no key 'unknown'"),
    ],
)
def test_bad_input_gets_one_clear_error(
    tmp_path: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = assay(tmp_path / "home", *arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_setting_names_the_nearest(tmp_path: Path) -> None:
    done = assay(tmp_path / "home", "release", "list", ASSAY_TRAINING__EPOCH="3")
    assert done.returncode == 2
    assert "did you mean 'epochs'?" in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("ASSAY_APPROVAL__POLICY", "auto", "approval.policy"),
        ("ASSAY_GATES", "other.yaml", "gates"),
        ("ASSAY_GARAK__ENABLED", "false", "garak.enabled"),
    ],
)
@pytest.mark.parametrize("command", [("release", "list"), ("run", "lifecycle", "--profile", "production")])
def test_no_variable_decides_what_goes_live(
    tmp_path: Path, command: tuple[str, ...], variable: str, value: str, setting: str
) -> None:
    done = assay(tmp_path / "home", *command, **{variable: value})
    assert done.returncode == 2, done.stderr
    assert f"environment variable {variable} would change {setting}" in done.stderr
    assert f"unset {variable}" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_installation_has_an_intact_ledger(tmp_path: Path) -> None:
    done = assay(tmp_path / "home", "audit", "verify", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["entries"] == 0
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700


def test_a_lost_checkpoint_needs_a_reason_and_leaves_a_trace(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ledger = Ledger(f"sqlite:///{home / 'ledger.db'}", Checkpoints(home))
    ledger.append(Kind.NOTE, project="triage", subject="x", actor="ada", reason="something")
    (home / "audit" / "checkpoint.json").unlink()
    lost = assay(home, "audit", "verify")
    assert lost.returncode == 1
    assert "entries and no checkpoint" in lost.stdout
    assert assay(home, "audit", "checkpoint", "--reason", " ").returncode == 2
    done = assay(home, "audit", "checkpoint", "--reason", "the disk was lost")
    assert done.returncode == 0, done.stderr
    assert assay(home, "audit", "verify", "--offline").returncode == 0
    assert ledger.entries()[-1].reason == "the disk was lost"
    assert ledger.entries()[-1].details == {"checkpoint_restarted_at": 1}


def test_nothing_is_exported_from_an_empty_ledger(tmp_path: Path) -> None:
    done = assay(tmp_path / "home", "audit", "export", "--output", str(tmp_path / "audit.tar"))
    assert done.returncode == 1
    assert "nothing to export" in done.stderr
    assert not (tmp_path / "audit.tar").exists()


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    home = tmp_path / "home"
    key = assay(home, "keys", "create", "billing").stdout.strip()
    assert key.startswith("ak-")
    listed = assay(home, "keys", "list", "--json")
    assert key not in listed.stdout
    assert json.loads(listed.stdout)[0]["name"] == "billing"
    assert all(key not in file.read_text() for file in (home / "keys").iterdir())
