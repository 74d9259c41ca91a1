"""The quality report as evidence: two shares with intervals, which gates limit by their upper bounds.

quality_evidence(dataset)      # (quality_violations, contamination); empty when there was nothing to measure
"""

from infra.statistics.intervals import wilson
from tasks.records import DatasetVersion, Evidence, QualityReport


def quality_evidence(dataset: DatasetVersion) -> tuple[Evidence, ...]:
    """`quality_violations`: share of rows against any expectation; `contamination`: share of evaluation
    rows that training has seen. What was not measured is absent, and no gate passes on what is absent.
    """
    measured = (_violations(dataset), _contamination(dataset))
    return tuple(evidence for evidence in measured if evidence is not None)


def _violations(dataset: DatasetVersion) -> Evidence | None:
    report = dataset.quality
    rows = sum(report.rows.values())
    if rows == 0 or not _evaluated(report):
        return None
    return Evidence.of(
        "quality_violations",
        wilson(report.violating_rows, rows),
        _inputs(dataset),
        remark=f"rows against any of {report.expectations} expectations, evaluated on all",
        slices={each.rule: wilson(each.unexpected, each.evaluated) for each in report.results},
    )


def _contamination(dataset: DatasetVersion) -> Evidence | None:
    overlap = dataset.quality.overlap
    if overlap is None or overlap.evaluation_rows == 0 or not dataset.quality.rows.get("train"):
        return None
    return Evidence.of(
        "contamination",
        wilson(overlap.contaminated, overlap.evaluation_rows),
        _inputs(dataset),
        remark="validation and test rows with the words of a training row"
        f" or {overlap.run_words} words in a row from one",
        slices={"whole text": wilson(overlap.whole_rows, overlap.evaluation_rows)},
    )


def _evaluated(report: QualityReport) -> bool:
    """Whether every expectation of the suite was evaluated, on rows, without an error."""
    return 0 < report.expectations == report.expected == len(report.results) and all(
        each.evaluated and not each.error for each in report.results
    )


def _inputs(dataset: DatasetVersion) -> dict[str, str]:
    return {
        "dataset": dataset.digest,
        **{f"split.{name}": digest for name, digest in dataset.content.items()},
    }
