"""`assay data`: prepared without any service, shown, compared; texts only when asked for."""

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.data import app

MAIL, PLANTED = "ann.b@example.org", "correct horse battery staple"
PROJECT = """
name: letters
title: Letters
data:
  source: jsonl
  path: rows.jsonl
  licence: CC-BY-4.0
  min_rows: 4
  split: {test_per_label: 2, validation_per_label: 1, train_per_label: 20}
base:
  candidates:
    - {name: tiny, source: "path:/base", licence: Apache-2.0, digest: "sha256:%s"}
"""


class Shell:
    """Runs `assay data` for one project of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.variables = {"ASSAY_HOME": str(root / "home"), "ASSAY_CONFIGS": str(root)}
        (root / "profiles").mkdir()
        (root / "profiles/embedded.yaml").write_text("{}\n")
        (root / "project.yaml").write_text(PROJECT % ("0" * 64))

    def rows(self, count: int, *extra: dict[str, str]) -> None:
        made = [
            {"text": " ".join(_word(9 * n + k) for k in range(6)), "label": "ab"[n % 2]} for n in range(count)
        ]
        (self.root / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*made, *extra]))

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=self.variables)

    def json(self, *arguments: str) -> dict:
        done = self(*arguments, "--json")
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)


def _word(number: int) -> str:
    return "".join(random.Random(number).choices("aeioubdfglmnprst", k=7))


@pytest.fixture
def data(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path)
    shell.rows(40, {"text": f"{PLANTED} {MAIL}", "label": "a"})
    return shell


def test_prepare_show_and_diff(data: Shell) -> None:
    first = data.json("prepare")
    assert first["dataset"]["quality"]["passed"]
    files = [str(data.root / "report.html"), str(data.root / "card.md")]
    shown = data("show", "--html", files[0], "--card", files[1])
    assert shown.exit_code == 0, shown.output
    assert f"report   {files[0]}" in shown.stdout
    assert Path(files[0]).read_text().startswith("<!DOCTYPE html>")
    assert Path(files[1]).read_text().startswith("---\npretty_name: Letters")
    for text in (shown.stdout, json.dumps(first), *(Path(file).read_text() for file in files)):
        assert PLANTED not in text
        assert MAIL not in text

    again = data.json("prepare")
    assert again["dataset"] == first["dataset"], "finished stages are reused"
    same = data("diff", first["dataset"]["digest"], "latest")
    assert "the same rows in the same splits" in same.stdout

    data.rows(44)
    second = data.json("prepare")
    changed = data.json("diff", first["dataset"]["digest"][7:15])
    assert changed["digests"] == [first["dataset"]["digest"], second["dataset"]["digest"]]
    assert sum(rows for labels in changed["removed"].values() for rows in labels.values()) >= 1
    assert "texts" not in changed
    assert PLANTED not in data("diff", first["dataset"]["digest"]).stdout
    assert PLANTED in data("diff", first["dataset"]["digest"], "--rows").stdout


def test_data_that_fail_are_shown_and_refused(data: Shell) -> None:
    data.variables["ASSAY_DATA__MIN_ROWS"] = "1000"
    done = data("prepare")
    assert done.exit_code == 1
    assert "quality  FAILED" in done.stdout
    assert "expected at least 1000" in done.stderr
    assert "quality  FAILED" in data("show").stdout


def test_nothing_prepared_is_said(data: Shell) -> None:
    done = data("show")
    assert done.exit_code == 1
    assert "assay data prepare" in done.stderr
    assert "Traceback" not in done.output


def test_an_unreadable_source_is_one_clear_error(data: Shell) -> None:
    (data.root / "rows.jsonl").write_text("{broken\n")
    done = data("prepare")
    assert done.exit_code == 1
    assert "rows.jsonl" in done.stderr
    assert "Traceback" not in done.output
