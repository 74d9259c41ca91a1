"""The guards around Great Expectations, which need no Great Expectations."""

import numpy as np
import pytest

from infra.errors import DataError
from tasks.develop.expectations import ColumnRule
from tasks.develop.quality import judge, require_quality
from tasks.develop.quality.columns import derive_columns
from tasks.develop.quality.guards import count_cells, guard_failures
from tasks.develop.quality.rules import rows_against
from tasks.records import QualityReport
from tests.unit.tasks.develop.quality.tables import LABELS, row, splits, table


def failures(tables: dict, labels: tuple[str, ...] = LABELS, min_rows: int = 1) -> list[str]:
    return guard_failures(count_cells(derive_columns(tables, labels)), labels, min_rows)


def test_good_rows_have_no_guard_failure() -> None:
    assert failures(splits(), min_rows=10) == []


def test_an_empty_table_fails() -> None:
    report = judge(derive_columns({}, LABELS), [], labels=("a",), min_rows=1)
    assert not report.passed
    assert "train: got 0 rows, expected at least 1" in report.failed


def test_an_empty_suite_fails_on_good_rows() -> None:
    report = judge(derive_columns(splits(), LABELS), [], labels=LABELS, min_rows=1)
    assert report.failed == ("expectations evaluated: got 0, expected 1",)
    assert not report.passed


def test_min_rows_of_zero_still_needs_rows() -> None:
    assert "train: got 0 rows, expected at least 1" in failures({}, min_rows=0)


def test_nulls_absent_labels_and_too_few_rows_are_named() -> None:
    bad = [row(50, text=None), row(51, label=None), row(52, text=" ")]
    tables = {**splits(), "test": table([row(200), row(201), *bad])}
    del tables["validation"]
    assert failures(tables, ("a", "b", "c"), min_rows=11) == [
        "train: got 10 rows, expected at least 11",
        "train: no row has label 'c'",
        "validation: got 0 rows, expected at least 1",
        "test: 3 of 5 rows lack a text or a label",
        "test: no row has label 'c'",
    ]
    assert "labels: got none, expected at least one" in failures(splits(), ())


@pytest.mark.parametrize(
    ("rule", "against"),
    [
        (ColumnRule("label", "not_null"), [False, False, True]),
        (ColumnRule("label", "in_set", values=("a",)), [False, True, False]),
        (ColumnRule("n_chars", "between", low=2), [True, False, False]),
        (ColumnRule("n_chars", "between", low=0, high=2), [False, False, True]),
        (ColumnRule("text_null", "in_set", values=(True,)), [True, True, True]),
    ],
)
def test_the_second_count_follows_the_rule(rule: ColumnRule, against: list[bool]) -> None:
    rows = [row(0, text="x"), row(1, text="xy"), row(2, text="xyz", label=None)]
    found = rows_against(derive_columns({"train": table(rows)}, LABELS), rule)
    assert found.dtype == np.bool_
    assert found.tolist() == against


@pytest.mark.parametrize(
    "report",
    [
        QualityReport(passed=False, expectations=3, failed=("train: too few",), rows={}),
        QualityReport(passed=True, expectations=3, failed=("train: too few",), rows={}),
        QualityReport(passed=False, expectations=3, failed=(), rows={}),
        QualityReport(passed=True, expectations=0, failed=(), rows={}),
        QualityReport(passed=True, expectations=3, expected=4, failed=(), rows={}),
    ],
)
def test_only_a_consistent_pass_is_a_pass(report: QualityReport) -> None:
    with pytest.raises(DataError, match="data quality: "):
        require_quality(report)


def test_every_failure_is_listed() -> None:
    with pytest.raises(DataError, match="one; two"):
        require_quality(QualityReport(passed=False, expectations=1, failed=("one", "two"), rows={}))
