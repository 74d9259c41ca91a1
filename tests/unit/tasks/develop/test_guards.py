"""The guards around Great Expectations, which need no Great Expectations."""

import pytest

from infra.errors import DataError
from tasks.develop.quality import Measured, guard_failures, judge, measure, require_quality
from tasks.records import QualityReport


def fine(rows: int = 4) -> list[Measured]:
    cells = [(f"text {n}", "ab"[n % 2]) for n in range(rows)]
    return measure("train", cells) + measure("validation", cells) + measure("test", cells)


def test_an_empty_table_fails() -> None:
    report = judge([], [], labels=("a",), min_rows=1)
    assert not report.passed
    assert "train: got 0 rows, expected at least 1" in report.failed


def test_an_empty_suite_fails_on_good_rows() -> None:
    report = judge(fine(), [], labels=("a", "b"), min_rows=1)
    assert report.failed == ("expectations evaluated: got 0, expected 1",)
    assert not report.passed


def test_min_rows_of_zero_still_needs_rows() -> None:
    assert "train: got 0 rows, expected at least 1" in guard_failures([], ("a",), 0)


def test_nulls_absent_labels_and_too_few_rows_are_named() -> None:
    rows = [row for row in fine() if row.split != "validation"]
    rows += measure("test", [(None, "a"), ("x", None), (" ", "a")])
    assert guard_failures(rows, ("a", "b", "c"), 5) == [
        "train: got 4 rows, expected at least 5",
        "train: no row has label 'c'",
        "validation: got 0 rows, expected at least 1",
        "test: 3 of 7 rows lack a text or a label",
        "test: no row has label 'c'",
    ]
    assert guard_failures(fine(), (), 1) == ["labels: got none, expected at least one"]


def test_good_rows_have_no_guard_failure() -> None:
    assert guard_failures(fine(), ("a", "b"), 4) == []


def test_measuring_keeps_sizes_and_flags_only() -> None:
    rows = measure("train", [("Two words", "a"), ("two WORDS", "a"), (None, None)])
    assert [(r.n_chars, r.n_words, r.duplicate, r.text_null) for r in rows] == [
        (9, 2, False, False),
        (9, 2, True, False),
        (0, 0, False, True),
    ]


@pytest.mark.parametrize(
    "report",
    [
        QualityReport(passed=False, expectations=3, failed=("train: too few",), rows={}),
        QualityReport(passed=True, expectations=3, failed=("train: too few",), rows={}),
        QualityReport(passed=False, expectations=3, failed=(), rows={}),
        QualityReport(passed=True, expectations=0, failed=(), rows={}),
    ],
)
def test_only_a_consistent_pass_is_a_pass(report: QualityReport) -> None:
    with pytest.raises(DataError, match="data quality: "):
        require_quality(report)


def test_every_failure_is_listed() -> None:
    with pytest.raises(DataError, match="one; two"):
        require_quality(QualityReport(passed=False, expectations=1, failed=("one", "two"), rows={}))
