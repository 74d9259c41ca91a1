"""Is the prepared data fit to train and test on? Great Expectations, plus guards that fail closed.

report = check_quality(splits, labels=("a", "b"), min_rows=100, max_characters=2000)
require_quality(report)            # DataError listing what failed

Great Expectations alone calls an empty table, a column of nulls and an empty suite a success, so the
guards here run first and count what was really evaluated. Reports hold counts, never cell values.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.errors import DataError
from tasks.develop.expectations import ColumnRule, Outcome, evaluate_rules
from tasks.records import QualityReport, Row, SplitName

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Measured:
    """One row as the checks see it: sizes and flags instead of the text."""

    split: str
    label: str | None
    n_chars: int
    n_words: int
    text_null: bool
    duplicate: bool


def measure(split: str, cells: Sequence[tuple[str | None, str | None]]) -> list[Measured]:
    """Derived columns of (text, label) cells; a text seen before in these cells is a duplicate."""
    seen: set[str] = set()
    rows = []
    for text, label in cells:
        filled = (text or "").strip()
        key = filled.casefold()
        rows.append(Measured(split, label, len(filled), len(filled.split()), not filled, key in seen))
        seen.add(key)
    return rows


def standard_rules(labels: Sequence[str], max_characters: int) -> tuple[ColumnRule, ...]:
    """What every prepared data set must meet."""
    return (
        ColumnRule("label", "not_null"),
        ColumnRule("label", "in_set", values=tuple(labels)),
        ColumnRule("split", "in_set", values=SPLITS),
        ColumnRule("text_null", "in_set", values=(False,)),
        ColumnRule("duplicate", "in_set", values=(False,)),
        ColumnRule("n_chars", "between", low=1, high=max_characters),
        ColumnRule("n_words", "between", low=1),
    )


def check_quality(
    splits: Mapping[SplitName, Sequence[Row]], *, labels: Sequence[str], min_rows: int, max_characters: int
) -> QualityReport:
    """The report over all splits; `min_rows` counts training rows."""
    measured = [
        row for name, rows in splits.items() for row in measure(name, [(r.text, r.label) for r in rows])
    ]
    rules = standard_rules(labels, max_characters)
    return judge(measured, rules, labels=labels, min_rows=min_rows)


def judge(
    measured: Sequence[Measured], rules: Sequence[ColumnRule], *, labels: Sequence[str], min_rows: int
) -> QualityReport:
    """Guards, then expectations; passes only when something was evaluated and nothing failed."""
    failed = guard_failures(measured, labels, min_rows)
    outcomes = evaluate_rules([vars(row) for row in measured], rules)
    failed += [line for outcome in outcomes if (line := _complaint(outcome))]
    if len(outcomes) != len(rules) or not outcomes:
        failed.append(f"expectations evaluated: got {len(outcomes)}, expected {max(len(rules), 1)}")
    return QualityReport(
        passed=not failed,
        expectations=len(outcomes),
        failed=tuple(failed),
        rows={name: sum(row.split == name for row in measured) for name in SPLITS},
    )


def guard_failures(measured: Sequence[Measured], labels: Sequence[str], min_rows: int) -> list[str]:
    """What Great Expectations would let through: too few rows, nothing but nulls, labels that are absent."""
    failed = []
    if not labels:
        failed.append("labels: got none, expected at least one")
    for split in SPLITS:
        rows = [row for row in measured if row.split == split]
        least = max(min_rows, 1) if split == "train" else 1
        if len(rows) < least:
            failed.append(f"{split}: got {len(rows)} rows, expected at least {least}")
        if nulls := sum(row.text_null or row.label is None for row in rows):
            failed.append(f"{split}: {nulls} of {len(rows)} rows lack a text or a label")
        present = Counter(row.label for row in rows)
        if split != "validation" and (absent := [label for label in labels if not present[label]]):
            failed.append(f"{split}: no row has label {', '.join(map(repr, absent))}")
    return failed


def require_quality(report: QualityReport) -> None:
    """Raises DataError that lists every failure; a report that evaluated nothing is one."""
    failed = list(report.failed)
    if report.expectations == 0:
        failed.append("no expectation was evaluated")
    if not report.passed or failed:
        listed = "; ".join(failed) or "the report says so without a reason"
        raise DataError(f"data quality: {listed}", hint="correct the data, or the limits in `data:`")


def _complaint(outcome: Outcome) -> str:
    if outcome.success and outcome.evaluated > 0 and outcome.unexpected == 0:
        return ""
    if outcome.error:
        return f"{outcome.rule.title}: could not be evaluated: {outcome.error}"
    if outcome.evaluated == 0:
        return f"{outcome.rule.title}: evaluated on no row"
    return f"{outcome.rule.title}: {outcome.unexpected} of {outcome.evaluated} rows against it"
