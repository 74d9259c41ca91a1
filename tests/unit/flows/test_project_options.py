"""The options that commands about a project share: what Typer sees, and what a command gets."""

import json
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from flows.cli.main import app as assay
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


@app.command()
@in_project
def colours(call: Call) -> None:
    """Ask for nothing."""
    call.emit([call.name, call.profile], text="red")


@app.command()
@in_project
def title(call: Call) -> None:
    """Ask for the settings alone."""
    call.emit({"title": call.project.title}, text=call.project.title)


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
        (["title", "--project", "absent"], 2, "no project 'absent'"),
        (["title", "--profile", "absent"], 2, "absent"),
    ],
)
def test_errors_have_their_code_and_no_traceback(
    runner: CliRunner, arguments: list[str], code: int, words: str
) -> None:
    done = runner.invoke(app, arguments)
    assert done.exit_code == code
    assert words in done.output + done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    "command",
    [
        ["gates", "list"],
        ["gates", "explain"],
        ["waiver", "list"],
        ["waiver", "sign", "floor", "--candidate", "abc", "--owner", "ada", "--reason", "why",
         "--until", "2026-12-01"],
        ["card", "open"],
        ["evaluate", "champion"],
    ],
    ids=lambda words: " ".join(words[:2]),
)  # fmt: skip
def test_an_unknown_profile_is_refused_in_text_and_json(runner: CliRunner, command: list[str]) -> None:
    done = runner.invoke(assay, [*command, "--profile", "embeded", "--json"])
    assert done.exit_code == 2
    assert json.loads(done.stdout)["exit_code"] == 2
    assert "embedded" in done.stderr
    assert "Traceback" not in done.output


@pytest.mark.parametrize("arguments", [["colours"], ["title"]])
def test_what_a_command_does_not_ask_for_is_not_opened(
    runner: CliRunner, tmp_path: Path, arguments: list[str]
) -> None:
    assert runner.invoke(app, arguments).exit_code == 0
    assert not (tmp_path / "home" / "store").exists()
    assert runner.invoke(app, ["greet", "Ada"]).exit_code == 0
    assert (tmp_path / "home" / "store").exists()


def test_gates_are_told_where_nothing_is_installed(runner: CliRunner, tmp_path: Path) -> None:
    assert runner.invoke(assay, ["gates", "list"]).exit_code == 0
    assert not (tmp_path / "home" / "store").exists()
