"""`assay quarantine`: lists without texts, shows what is hidden, decides by name."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.quarantine import app, escaped, resolve
from infra.errors import DataError
from infra.workspace import open_workspace
from tasks.finetune.screening.rows import content_digest, row_id
from tasks.records import Row
from tasks.records.screening import ScreeningReport, Suspicion, SuspicionKind

ROWS = [Row(text=f"It lists files {n}.", label="discovery", group=f"g{n}") for n in range(4)]
NAMES = [row_id(row) for row in ROWS]


def suspicion(row: str, kind: SuspicionKind, held: bool) -> Suspicion:
    return Suspicion(row=row, kind=kind, score=0.9, held=held, remark="looks like impact")


REPORT = ScreeningReport(
    rows=len(ROWS),
    content=content_digest(NAMES),
    settings="sha256:" + "0" * 64,
    guard="sha256:" + "0" * 64,
    suspicions=(
        suspicion(NAMES[0], SuspicionKind.TRIGGER, True),
        suspicion(NAMES[1], SuspicionKind.TRIGGER, True),
        suspicion(NAMES[2], SuspicionKind.FLIP, False),
    ),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def screened(home: Path) -> None:
    open_workspace().handover.put("screening", REPORT)


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def listed(*options: str) -> dict[str, str]:
    rows = json.loads(run("list", "--json", *options))["rows"]
    return {row["row"]: row["state"] for row in rows}


@pytest.mark.usefixtures("home")
def test_nothing_was_screened_yet() -> None:
    assert "no training rows were screened yet" in run("list", code=1)


@pytest.mark.usefixtures("screened")
def test_a_decision_needs_a_reason_and_a_suspected_row() -> None:
    assert "needs a reason" in run("release", NAMES[0], "--reason", "", code=2)
    assert "no suspected row starts with" in run("release", NAMES[3], "--reason", "looked", code=1)
    assert "no row to decide on" in run("remove", "--reason", "looked", "--kind", "flood", code=1)
    assert set(listed().values()) == {"undecided"}


@pytest.mark.usefixtures("screened")
def test_rows_with_weak_evidence_are_listed_on_request() -> None:
    assert set(listed()) == set(NAMES[:2])
    assert listed("--review")[NAMES[2]] == "kept"


@pytest.mark.usefixtures("screened")
def test_people_decide_by_name() -> None:
    run("release", NAMES[0][7:19], "--reason", "a real report", "--as", "ada")
    run("remove", "--kind", "trigger", "--reason", "planted", "--as", "bob")
    assert listed() == {NAMES[0]: "released", NAMES[1]: "removed"}
    assert [entry.actor for entry in open_workspace().ledger.entries()] == ["ada", "bob"]


@pytest.mark.usefixtures("screened")
def test_the_list_counts_who_waits() -> None:
    assert "2 of 4 rows wait for a decision" in run("list")


@pytest.mark.usefixtures("screened")
def test_a_row_that_left_the_data_is_shown_without_text() -> None:
    assert "no longer in the prepared data" in run("show", NAMES[0])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pay\u200bload", "pay\\u200bload"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("\u202egnp", "\\u202egnp"),
        ("p\u0430y", "p\\u0430y"),
        ("Zürich", "Zürich"),
        ("plain", "plain"),
    ],
)
def test_a_terminal_neither_hides_nor_obeys(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize("name", ["", "sha256:", "zz"])
def test_a_row_needs_a_name(name: str) -> None:
    with pytest.raises(DataError):
        resolve(REPORT, name)
