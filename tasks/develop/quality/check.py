"""Guards, expectations and a second count of each; the report passes only when all agree on no failure.

report = check_quality(tables, labels=("a", "b"), min_rows=100, max_characters=2000)
require_quality(report)            # DataError listing what failed
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from infra.errors import DataError
from tasks.develop.expectations import ColumnRule, Outcome, evaluate_rules
from tasks.develop.quality.columns import derive_columns, text_column
from tasks.develop.quality.guards import SplitCounts, count_cells, guard_failures
from tasks.develop.quality.profile import category_counts, profile_rows
from tasks.develop.quality.rules import rows_against, standard_rules
from tasks.develop.quality.scan import RUN_WORDS, scan_texts
from tasks.records import QualityReport, SplitName
from tasks.records.quality import SPLITS, ExpectationResult, Overlap

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


def check_quality(
    tables: Mapping[SplitName, "pa.Table"], *, labels: Sequence[str], min_rows: int, max_characters: int
) -> QualityReport:
    """The report over prepared splits with string columns text, label, group, licence and source.

    `min_rows` counts training rows. An optional flag column `near_duplicate` is taken into account.
    Absent columns count as nulls, which fails. Never raises for bad data: see `require_quality`.
    """
    ordered = {name: tables[name] for name in SPLITS if name in tables}
    scanned = scan_texts({name: text_column(table, "text") for name, table in ordered.items()})
    narrow = derive_columns(ordered, labels, scanned)
    rules = standard_rules(labels, max_characters)
    report = judge(narrow, rules, labels=labels, min_rows=min_rows)
    profiles, by_label = profile_rows(ordered, narrow, labels)
    return report.model_copy(
        update={
            "profiles": profiles,
            "label_characters": by_label,
            "licences": _categories(ordered, "licence"),
            "sources": _categories(ordered, "source"),
            "overlap": Overlap(
                run_words=RUN_WORDS,
                evaluation_rows=report.rows["validation"] + report.rows["test"],
                whole_rows=int(scanned.leaked.sum()),
                contaminated=int(scanned.contaminated.sum()),
            ),
        }
    )


def judge(
    table: "pa.Table", rules: Sequence[ColumnRule], *, labels: Sequence[str], min_rows: int
) -> QualityReport:
    """Guards, then expectations; passes only when every rule was evaluated and no blocking one failed."""
    import numpy as np

    counts = count_cells(table)
    failed = guard_failures(counts, labels, min_rows)
    outcomes = evaluate_rules(table, rules)
    against = np.zeros(table.num_rows, np.bool_)
    for outcome in outcomes:
        second = _second_count(table, outcome)
        against |= second
        failed += _complaints(outcome, int(second.sum()))
    if len(outcomes) != len(rules) or not outcomes:
        failed.append(f"expectations evaluated: got {len(outcomes)}, expected {max(len(rules), 1)}")
    return QualityReport(
        passed=not failed,
        expectations=len(outcomes),
        expected=len(rules),
        failed=tuple(failed),
        rows={name: counts.get(name, SplitCounts()).rows for name in SPLITS},
        results=tuple(_result(outcome) for outcome in outcomes),
        violating_rows=int(against.sum()),
    )


def require_quality(report: QualityReport) -> None:
    """Raises DataError that lists every failure; a report that evaluated too little is one."""
    failed = list(report.failed)
    if report.expectations == 0:
        failed.append("no expectation was evaluated")
    elif report.expected and report.expectations != report.expected:
        failed.append(f"expectations evaluated: got {report.expectations}, expected {report.expected}")
    if not report.passed or failed:
        listed = "; ".join(failed) or "the report says so without a reason"
        raise DataError(f"data quality: {listed}", hint="correct the data, or the limits in `data:`")


def _second_count(table: "pa.Table", outcome: Outcome) -> "NDArray[np.bool_]":
    import numpy as np

    if outcome.error:
        return np.zeros(table.num_rows, np.bool_)
    return rows_against(table, outcome.rule)


def _complaints(outcome: Outcome, second: int) -> list[str]:
    """Why this outcome stops the data; what does not block still has to be evaluated, and counted alike."""
    title = outcome.rule.title
    if outcome.error:
        return [f"{title}: could not be evaluated: {outcome.error}"]
    if outcome.evaluated == 0:
        return [f"{title}: evaluated on no row"]
    if outcome.unexpected != second or outcome.success == bool(second):
        return [f"{title}: counts differ: Great Expectations {outcome.unexpected}, ours {second}"]
    if second and outcome.rule.blocking:
        return [f"{title}: {second} of {outcome.evaluated} rows against it"]
    return []


def _result(outcome: Outcome) -> ExpectationResult:
    held = outcome.success and not outcome.error and outcome.evaluated > 0 and outcome.unexpected == 0
    return ExpectationResult(
        rule=outcome.rule.title,
        column=outcome.rule.column,
        passed=held,
        blocking=outcome.rule.blocking,
        evaluated=outcome.evaluated,
        unexpected=outcome.unexpected,
        error=outcome.error,
    )


def _categories(tables: Mapping[SplitName, "pa.Table"], name: str) -> dict[str, int]:
    import pyarrow as pa

    chunks = [chunk for table in tables.values() for chunk in text_column(table, name).chunks]
    return category_counts(pa.chunked_array(chunks, pa.large_string()))
