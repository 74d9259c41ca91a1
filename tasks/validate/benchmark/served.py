"""Accuracy as clients get it: guard, prompt, model, guard. A blocked row is a wrong answer, and is counted.

results = served_items(unit, rows)
served_evidence(results, inputs, details=digest)
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from infra.errors import DataError
from infra.statistics.intervals import wilson
from tasks.records import Evidence, Row
from tasks.validate.benchmark.quality import ARTEFACT, by_label
from tasks.validate.items import ItemResult, item_id
from tasks.validate.targets import Target

BLOCKED = "blocked: "
"""Begins what is kept as the prediction of a row that was stopped; the rule follows."""


def served_items(unit: Target, rows: Sequence[Row]) -> tuple[ItemResult, ...]:
    """One result for every row; raises DataError for no rows, and Unavailable as the target does."""
    if not rows:
        raise DataError("no rows to serve", hint="an empty benchmark measures nothing")
    replies = unit.ask([[{"role": "user", "content": row.text}] for row in rows])
    if len(replies) != len(rows):
        raise DataError(f"the unit gave {len(replies)} replies, expected {len(rows)}")
    results = []
    for position, (row, reply) in enumerate(zip(rows, replies, strict=True)):
        predicted = reply.text if reply.blocked_by is None else BLOCKED + reply.blocked_by
        results.append(
            ItemResult(
                id=item_id(position, row),
                label=row.label,
                predicted=predicted,
                # A label that reads like a block is none: only an answer can be right.
                correct=reply.blocked_by is None and predicted == row.label,
            )
        )
    return tuple(results)


def served_evidence(
    results: Sequence[ItemResult],
    inputs: Mapping[str, str],
    *,
    details: str | None = None,
    confidence: float = 0.95,
) -> Evidence:
    """`served_accuracy` by label; the number of blocked rows and the rules that blocked them are said."""
    if not results:
        raise DataError("no served rows", hint="an empty benchmark measures nothing")
    right = sum(item.correct for item in results)
    rules = Counter(
        item.predicted.removeprefix(BLOCKED) for item in results if item.predicted.startswith(BLOCKED)
    )
    named = f" ({', '.join(f'{rule} {count}' for rule, count in sorted(rules.items()))})" if rules else ""
    return Evidence.of(
        "served_accuracy",
        wilson(right, len(results), confidence),
        inputs,
        remark=f"{right} of {len(results)} right through guard, prompt and model,"
        f" {rules.total()} blocked{named}; {ARTEFACT}",
        slices=by_label(results, confidence),
        details=details,
    )
