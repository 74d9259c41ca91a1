"""Quality as evidence: shares with intervals, or nothing at all."""

import pytest

from tasks.develop.quality import quality_evidence
from tasks.records import QualityReport
from tasks.records.quality import ExpectationResult, Overlap
from tests.unit.tasks.develop.quality.samples import SOME, dataset, report


def metrics(quality: QualityReport) -> dict[str, float]:
    return {each.metric: each.value for each in quality_evidence(dataset(quality))}


def test_both_shares_have_wilson_intervals_and_name_their_inputs() -> None:
    violations, contamination = quality_evidence(dataset())
    assert (violations.metric, violations.value, violations.n) == ("quality_violations", 2 / 18, 18)
    assert (contamination.metric, contamination.value, contamination.n) == ("contamination", 1 / 8, 8)
    assert violations.lower < violations.value < violations.upper
    assert "Wilson" in violations.method
    assert violations.inputs["dataset"] == SOME
    assert set(violations.inputs) == {"dataset", "split.train", "split.validation", "split.test"}
    assert {name: part.value for name, part in violations.slices.items()} == {
        "no text is empty": 0.0,
        "no personal data": 2 / 18,
    }


def test_no_violation_in_few_rows_still_has_an_upper_bound() -> None:
    clean = report(
        violating_rows=0, overlap=Overlap(run_words=8, evaluation_rows=8, whole_rows=0, contaminated=0)
    )
    for each in quality_evidence(dataset(clean)):
        assert each.value == each.lower == 0
        assert each.upper > 0.15


UNEVALUATED = ExpectationResult(rule="x", column="x", passed=False, evaluated=0, unexpected=0)
BROKEN = ExpectationResult(rule="x", column="x", passed=False, evaluated=18, unexpected=0, error="KeyError")


@pytest.mark.parametrize(
    "quality",
    [
        report(expectations=0, expected=0, results=()),
        report(expectations=1),
        report(expected=3),
        report(results=report().results[:1]),
        report(results=(report().results[0], UNEVALUATED)),
        report(results=(report().results[0], BROKEN)),
        report(rows={}),
    ],
)
def test_what_was_not_evaluated_gives_no_evidence_of_quality(quality: QualityReport) -> None:
    assert "quality_violations" not in metrics(quality)


@pytest.mark.parametrize(
    "quality",
    [
        report(overlap=None),
        report(overlap=Overlap(run_words=8, evaluation_rows=0, whole_rows=0, contaminated=0)),
        report(rows={"train": 0, "validation": 4, "test": 4}),
    ],
)
def test_without_rows_to_compare_there_is_no_evidence_about_contamination(quality: QualityReport) -> None:
    assert "contamination" not in metrics(quality)
