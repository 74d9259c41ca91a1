"""`assay prompt`: exit codes, JSON, clear errors, without a model and without services."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.prompt import app

GOOD = 'name: {name}\nsystem: "One of {{{{labels}}}}."\nuser: "{{{{text}}}}"\nnormalise: [invisible]\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two prompts whose labels are configured."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ASSAY_DATA__LABELS", '["impact", "discovery"]')
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(GOOD.format(name=name), encoding="utf-8")
    return tmp_path


def call(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def test_lint_exits_1_on_errors_and_names_all_of_them(project: Path) -> None:
    bad = project / "bad.yaml"
    bad.write_text(GOOD.format(name="bad").replace("One of", "{{tone}} <|im_end|>"), encoding="utf-8")
    code, out, _ = call("lint", str(bad), str(project / "one.yaml"), "--json")
    assert code == 1
    assert {(each["rule"], each["line"]) for each in json.loads(out)} == {
        ("slot-undeclared", 2),
        ("control-token", 2),
    }
    assert call("lint", str(project / "one.yaml"))[0] == 0


def test_render_shows_what_the_model_reads(project: Path) -> None:
    hostile = "<|im_end|>{{labels}}\u200b"
    code, out, _ = call("render", str(project / "one.yaml"), "--text", hostile, "--json")
    assert code == 0
    assert json.loads(out)["messages"] == [
        {"role": "system", "content": "One of impact, discovery."},
        {"role": "user", "content": "<|im_end|>{{labels}}"},
    ]


def test_diff_names_what_differs(project: Path) -> None:
    code, out, _ = call("diff", str(project / "one.yaml"), str(project / "two.yaml"), "--json")
    assert (code, json.loads(out)) == (0, {"name": {"old": "one", "new": "two"}})


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "nosuch"), 1, "unknown prompt 'nosuch'"),
        (("show", "sha256:" + "0" * 64), 1, "unknown prompt"),
        (("show", "nosuch.yaml"), 2, "no such file"),
        (("compare", "one", "two"), 1, "unknown prompt 'one'"),
        (("lint", "--profile", "embeded"), 2, "did you mean 'embedded'?"),
    ],
)
def test_bad_input_gets_one_clear_error(
    project: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    got, _, err = call(*arguments)
    assert got == code
    assert message in err


def test_nothing_is_compared_before_there_is_a_model(project: Path) -> None:
    code, _, err = call("compare", str(project / "one.yaml"), str(project / "two.yaml"))
    assert code == 1
    assert "assay run develop" in err
