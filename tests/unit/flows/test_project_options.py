"""The options that commands about a project share: what Typer sees, and what a command gets."""

import json
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from flows.cli.project import Call, in_project
from infra.errors import DataError

app = typer.Typer()


@app.callback()
def _commands() -> None:
    """Keeps the names of the commands."""


@app.command()
@in_project
def greet(call: Call, name: str, times: Annotated[int, typer.Option(help="How often.")] = 1) -> None:
    """Say hello."""
    if times < 1:
        raise DataError("too few", hint="once at least")
    call.emit(
        {"hello": name, "profile": call.workspace.project.profile}, text=" ".join([f"hello {name}"] * times)
    )


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    return CliRunner(env={"ASSAY_HOME": str(tmp_path / "home"), "COLUMNS": "120"})


def test_the_command_keeps_its_own_words_and_gets_the_shared_ones(runner: CliRunner) -> None:
    shown = runner.invoke(app, ["greet", "--help"]).output
    assert "Say hello." in shown
    for option in ("--times", "--project", "--profile", "--json", "name"):
        assert option in shown
    assert "--call" not in shown


def test_text_and_json(runner: CliRunner) -> None:
    assert runner.invoke(app, ["greet", "Ada", "--times", "2"]).stdout == "hello Ada hello Ada\n"
    done = runner.invoke(app, ["greet", "Ada", "--json", "--profile", "thorough"])
    assert json.loads(done.stdout) == {"hello": "Ada", "profile": "thorough"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["greet", "Ada", "--times", "0"], 1, "too few"),
        (["greet", "Ada", "--project", "absent"], 2, "no project 'absent'"),
        (["greet", "Ada", "--profile", "absent"], 2, "absent"),
        (["greet"], 2, "Missing argument"),
    ],
)
def test_errors_have_their_code_and_no_traceback(
    runner: CliRunner, arguments: list[str], code: int, words: str
) -> None:
    done = runner.invoke(app, arguments)
    assert done.exit_code == code
    assert words in done.output + done.stderr
    assert "Traceback" not in done.output
