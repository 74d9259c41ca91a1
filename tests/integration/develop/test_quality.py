"""Great Expectations itself, behind our guards."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from infra.config import load_project
from infra.errors import DataError
from infra.store import FileStore
from tasks.develop import expectations
from tasks.develop.datasets import load_split, prepare_dataset
from tasks.develop.documents import quality_documents
from tasks.develop.expectations import ColumnRule, evaluate_rules
from tasks.develop.quality import check_quality, judge, quality_evidence, require_quality
from tasks.develop.quality.columns import derive_columns
from tasks.develop.quality.rules import standard_rules
from tasks.records import QualityReport, SplitName
from tests.unit.tasks.develop.quality.samples import dataset, project
from tests.unit.tasks.develop.quality.tables import LABELS, Cells, row, splits, table

RULES = standard_rules(LABELS, 100)


def check(tables: dict[SplitName, pa.Table]) -> QualityReport:
    return check_quality(tables, labels=LABELS, min_rows=5, max_characters=100)


def test_good_rows_pass_silently(capfd: pytest.CaptureFixture[str]) -> None:
    report = check(splits())
    require_quality(report)
    assert report.expectations == report.expected == len(RULES) == len(report.results)
    assert all(result.passed and result.evaluated == 18 for result in report.results)
    assert report.rows == {"train": 10, "validation": 4, "test": 4}
    assert report.violating_rows == 0
    assert capfd.readouterr() == ("", "")


def test_empty_tables_fail() -> None:
    for tables in ({}, {"train": table([]), "validation": table([]), "test": table([])}):
        report = check(tables)  # type: ignore[arg-type]  # names of splits
        assert not report.passed
        assert report.expectations == 0
        with pytest.raises(DataError, match="no expectation was evaluated"):
            require_quality(report)


def test_nothing_but_nulls_fails_though_the_library_calls_it_a_success() -> None:
    nulls = pa.table({"split": ["train"] * 20, "label": pa.nulls(20, pa.string()), "text_null": [False] * 20})
    rule = ColumnRule("label", "in_set", values=LABELS)
    assert evaluate_rules(nulls, [rule])[0].success
    report = judge(nulls, [rule], labels=LABELS, min_rows=1)
    assert "label in a, b: evaluated on no row" in report.failed


@pytest.mark.parametrize("column", ["text", "label", "licence", "source"])
def test_an_absent_or_null_column_fails(column: str) -> None:
    tables = splits()
    assert not check({**tables, "train": tables["train"].drop_columns([column])}).passed
    nulls = pa.nulls(10, pa.string())
    at = tables["train"].column_names.index(column)
    assert not check({**tables, "train": tables["train"].set_column(at, column, nulls)}).passed


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (row(1), "no text occurs twice: 1 of 19 rows against it"),
        (row(50, label="c"), "labels are of the 2 allowed: 1 of 19 rows against it"),
        (row(50, text="z" * 101), "texts have 1 to 100 characters: 1 of 19 rows against it"),
        (row(50, text="?!"), "texts have at least one word: 1 of 19 rows against it"),
        (row(50, text="hid\u200bden"), "no text has hidden characters: 1 of 19 rows against it"),
        (row(50, licence=" "), "every row names its licence: 1 of 19 rows against it"),
        (row(50, source=None), "every row names its source: 1 of 19 rows against it"),
    ],
)
def test_each_fault_is_found_by_its_rule(bad: Cells, complaint: str) -> None:
    report = check(splits(bad))
    assert report.failed == (complaint,)
    assert report.violating_rows == 1


def test_a_training_text_among_the_test_rows_fails() -> None:
    leaked = {**splits(), "test": table([*(row(n) for n in range(200, 204)), row(3)])}
    report = check(leaked)
    assert "no evaluation text is a training text: 1 of 19 rows against it" in report.failed
    assert report.overlap is not None
    assert (report.overlap.whole_rows, report.overlap.contaminated) == (1, 1)


def test_shared_phrases_and_personal_data_are_left_to_the_gates() -> None:
    phrase = "the quick brown fox jumps over the lazy dog"
    tables = splits(row(50, text=f"{phrase} today"), row(51, text="mail ann@example.org now"))
    tables["test"] = table([*(row(n) for n in range(200, 204)), row(204, text=f"yesterday {phrase}")])
    report = check(tables)
    require_quality(report)
    against = {result.column: result.unexpected for result in report.results if result.unexpected}
    assert against == {"contaminated": 1, "personal_data": 1}
    assert report.violating_rows == 2
    violations, contamination = quality_evidence(dataset(report))
    assert (violations.value, contamination.value) == (2 / 21, 1 / 9)


def test_a_rule_that_cannot_be_evaluated_fails() -> None:
    narrow = derive_columns(splits(), LABELS)
    report = judge(narrow, [ColumnRule("absent", "not_null")], labels=LABELS, min_rows=1)
    assert any(line.startswith("absent not null: could not be evaluated") for line in report.failed)


def test_a_library_that_counts_otherwise_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of what Great Expectations calls null or in a set is found, not believed."""
    monkeypatch.setitem(expectations._COUNTS_ONLY, "result_format", "BOOLEAN_ONLY")  # no counts at all
    assert not check(splits()).passed


MAIL, SECRET, TEXT = "ann.b@example.org", "AKIAIOSFODNN7EXAMPLE", "correct horse battery staple"


def test_no_cell_value_is_in_a_result_report_card_or_evidence() -> None:
    planted = [
        row(50, text=f"{TEXT} {MAIL} {SECRET} " + "z" * 100, label=TEXT, licence=MAIL, source=SECRET),
        row(51, text=f"{TEXT} hid\u200bden", label=MAIL, group=MAIL, licence=TEXT, source=MAIL),
        row(52, label=SECRET, licence=SECRET, source=TEXT),
    ]
    tables = splits(*planted)
    report = check(tables)
    assert not report.passed
    outcomes = evaluate_rules(derive_columns(tables, LABELS), RULES)
    found = dataset(report)
    documents = quality_documents(found, project())
    written = "\n".join(
        [
            repr(outcomes),
            report.model_dump_json(),
            json.dumps([each.model_dump(mode="json") for each in quality_evidence(found)]),
            documents.report,
            documents.card,
        ]
    )
    with pytest.raises(DataError) as refused:
        require_quality(report)
    written += refused.value.diagnostics()
    for cell in (MAIL, SECRET, TEXT):
        assert cell not in written


@pytest.mark.parametrize("name", ["default", "weakness"])
def test_what_the_preparation_lets_through_is_clean_to_a_second_opinion(tmp_path: Path, name: str) -> None:
    settings = load_project(name, environ={"ASSAY_HOME": str(tmp_path / "home")})
    store = FileStore(tmp_path / "store")
    prepared = prepare_dataset(settings, store)
    require_quality(prepared.quality)
    assert prepared.quality.violating_rows == 0
    for split in ("train", "validation", "test"):
        loaded = load_split(store, prepared, split)
        assert len(loaded) == prepared.rows[split]
        assert {each.label for each in loaded} == set(prepared.labels)
    if name == "weakness":
        again = prepare_dataset(settings, FileStore(tmp_path / "other"))
        assert (again.digest, again.quality) == (prepared.digest, prepared.quality)


def test_too_few_training_rows_are_recorded_and_then_refused(tmp_path: Path) -> None:
    variables = {"ASSAY_HOME": str(tmp_path / "home"), "ASSAY_DATA__MIN_ROWS": "100000"}
    store = FileStore(tmp_path / "store")
    prepared = prepare_dataset(load_project("weakness", environ=variables), store)
    assert not prepared.quality.passed
    with pytest.raises(DataError, match="expected at least 100000"):
        load_split(store, prepared, "train")
