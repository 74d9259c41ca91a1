"""Great Expectations itself, behind our guards."""

from pathlib import Path

import pytest

from infra.config import load_project
from infra.errors import DataError
from infra.store import FileStore
from tasks.develop.datasets import load_split, prepare_dataset
from tasks.develop.expectations import ColumnRule, evaluate_rules
from tasks.develop.quality import Measured, check_quality, judge, measure, require_quality, standard_rules
from tasks.records import Row, SplitName

LABELS = ("a", "b")
RULES = standard_rules(LABELS, 100)


def rows(count: int, start: int = 0) -> list[Row]:
    return [Row(text=f"text {n}", label=LABELS[n % 2], group=str(n)) for n in range(start, start + count)]


def good() -> dict[SplitName, list[Row]]:
    return {"train": rows(10), "validation": rows(4, 10), "test": rows(4, 20)}


def check(splits: dict[SplitName, list[Row]]) -> list[str]:
    return list(check_quality(splits, labels=LABELS, min_rows=5, max_characters=100).failed)


def test_good_rows_pass_silently(capfd: pytest.CaptureFixture[str]) -> None:
    report = check_quality(good(), labels=LABELS, min_rows=5, max_characters=100)
    require_quality(report)
    assert report.expectations == len(RULES)
    assert report.rows == {"train": 10, "validation": 4, "test": 4}
    assert capfd.readouterr() == ("", "")


def test_an_empty_table_fails() -> None:
    report = check_quality({}, labels=LABELS, min_rows=0, max_characters=100)
    assert not report.passed
    assert report.expectations == 0


def test_nothing_but_nulls_fails_though_the_library_calls_it_a_success() -> None:
    nulls = [Measured("train", None, 1, 1, False, False)] * 20
    alone = evaluate_rules([vars(row) for row in nulls], [ColumnRule("label", "in_set", values=LABELS)])
    assert alone[0].success
    report = judge(nulls, [ColumnRule("label", "in_set", values=LABELS)], labels=LABELS, min_rows=1)
    assert "label in a, b: evaluated on no row" in report.failed


def test_an_empty_suite_fails() -> None:
    measured = [
        m for name in ("train", "validation", "test") for m in measure(name, [("x", "a"), ("y", "b")])
    ]
    assert judge(measured, RULES, labels=LABELS, min_rows=1).passed
    assert not judge(measured, [], labels=LABELS, min_rows=1).passed


def test_each_fault_is_found_by_its_rule() -> None:
    assert check({**good(), "train": [*rows(10), rows(1)[0]]}) == [
        "duplicate in False: 1 of 19 rows against it"
    ]
    odd = [*rows(10), Row(text="z", label="c", group="z")]
    assert check({**good(), "train": odd}) == ["label in a, b: 1 of 19 rows against it"]
    long = [*rows(10), Row(text="z" * 101, label="a", group="z")]
    assert check({**good(), "train": long}) == ["n_chars between 1 and 100: 1 of 19 rows against it"]


def test_a_rule_that_cannot_be_evaluated_fails() -> None:
    measured = measure("train", [("x", "a")])
    report = judge(measured, [ColumnRule("absent", "not_null")], labels=("a",), min_rows=1)
    assert any(line.startswith("absent not null: could not be evaluated") for line in report.failed)


def test_no_cell_value_is_in_a_report() -> None:
    secret = "correct horse battery staple"
    bad = [*rows(10), Row(text=secret * 9, label=secret, group="z")]
    report = check_quality({**good(), "train": bad}, labels=LABELS, min_rows=5, max_characters=100)
    assert not report.passed
    assert secret not in report.model_dump_json()


@pytest.mark.parametrize("name", ["default", "weakness"])
def test_both_projects_prepare_their_data_the_same_way_twice(tmp_path: Path, name: str) -> None:
    project = load_project(name, environ={"ASSAY_HOME": str(tmp_path / "home")})
    store = FileStore(tmp_path / "store")
    dataset = prepare_dataset(project, store)
    require_quality(dataset.quality)
    assert prepare_dataset(project, FileStore(tmp_path / "other")) == dataset
    for split in ("train", "validation", "test"):
        loaded = load_split(store, dataset, split)
        assert len(loaded) == dataset.rows[split]
        assert {row.label for row in loaded} == set(dataset.labels)


def test_too_few_training_rows_are_recorded_and_then_refused(tmp_path: Path) -> None:
    variables = {"ASSAY_HOME": str(tmp_path / "home"), "ASSAY_DATA__MIN_ROWS": "100000"}
    store = FileStore(tmp_path / "store")
    dataset = prepare_dataset(load_project("weakness", environ=variables), store)
    assert not dataset.quality.passed
    with pytest.raises(DataError, match="expected at least 100000"):
        load_split(store, dataset, "train")
