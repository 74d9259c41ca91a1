"""The exported threat model, run with pytm where it is installed: all of our elements and flows are in it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from flows.cli.threats import app

pytest.importorskip("pytm", reason="the extra assay[pytm] is not installed")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("threats")
    file = root / "threats.py"
    done = CliRunner(env={"ASSAY_HOME": str(root / "home")}).invoke(app, ["report", "--pytm", str(file)])
    assert done.exit_code == 0, done.output
    return file


def run(program: Path, *arguments: str) -> str:
    # Where this process found pytm, the program finds it too.
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, program.name, *arguments]
    done = subprocess.run(command, cwd=program.parent, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def titles(kind: str) -> set[str]:
    model = yaml.safe_load(Path("configs/threat-model.yaml").read_text())
    return {each["title"] for each in model[kind]}


def test_the_model_in_pytm_is_ours(program: Path) -> None:
    run(program, "--json", "model.json")
    found = json.loads((program.parent / "model.json").read_text())
    names = {
        key: {each["name"] for each in found[key]} for key in ("elements", "flows", "data", "boundaries")
    }
    assert names["elements"] == titles("elements")
    assert names["flows"] == titles("flows")
    assert names["data"] == titles("assets")
    assert names["boundaries"] == titles("boundaries")
    assert "Classification.UNKNOWN" not in {each["classification"] for each in found["data"]}
    assert found["findings"], "its own library of threats speaks about the model"


def test_the_diagram_shows_every_flow(program: Path) -> None:
    drawn = " ".join(run(program, "--dfd").replace("\\n", " ").split())
    assert drawn.startswith("digraph tm {")
    assert drawn.count("->") >= len(titles("flows"))
