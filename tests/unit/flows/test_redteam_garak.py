"""`assay redteam --tier garak`: options that mean nothing are refused, and no endpoint is no pass."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app

NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Never started: every test ends before.
    monkeypatch.setattr("tasks.validate.garak.executable", lambda: tmp_path / "garak")


def run(*arguments: str, code: int) -> str:
    done = CliRunner().invoke(app, ["redteam", NOBODY, "--model", "m", "--tier", "garak", *arguments])
    assert done.exit_code == code, done.output
    return done.output


@pytest.mark.parametrize(
    "option", [("--families", "jailbreak"), ("--labels", "a,b"), ("--system-prompt", "x")]
)
def test_options_of_the_native_tier_are_refused(option: tuple[str, str]) -> None:
    assert f"{option[0]} is for the native tier" in run(*option, code=2)


def test_a_budget_that_garak_cannot_keep_is_refused_with_the_least() -> None:
    assert "it asks 303 at least" in run("--budget", "300", code=2)


def test_an_endpoint_where_nobody_answers_is_no_pass() -> None:
    assert "ConnectError" in run(code=1)
