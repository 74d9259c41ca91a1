"""Cost and latency on a card: what serving takes, beside what the champion took when it was measured.

rows = operation_rows(evidence, champion_evidence)
html = operation_html(rows)
"""

from infra.pages.page import table
from infra.pages.words import shown
from tasks.deploy.card import quantity
from tasks.records import EvidenceSet, Record

_MEASURED = ("latency_p95_ms", "throughput_rps", "peak_memory_mb", "cost_usd_per_1k_requests")


class OperationRow(Record):
    """One quantity; `before` is the champion's, from its own validation."""

    metric: str
    value: float
    lower: float
    upper: float
    n: int
    before: float | None


def operation_rows(evidence: EvidenceSet, earlier: EvidenceSet | None) -> tuple[OperationRow, ...]:
    """What of cost and latency was measured."""
    found = {item.metric: item for item in evidence.evidence}
    old = {item.metric: item.value for item in earlier.evidence} if earlier is not None else {}
    return tuple(
        OperationRow(
            metric=name,
            value=found[name].value,
            lower=found[name].lower,
            upper=found[name].upper,
            n=found[name].n,
            before=old.get(name),
        )
        for name in _MEASURED
        if name in found
    )


def operation_html(rows: tuple[OperationRow, ...]) -> str:
    """Names what was not measured."""
    absent = [quantity.words(name) for name in _MEASURED if name not in {row.metric for row in rows}]
    left = f'<p class="missing">Not measured: {shown(", ".join(absent))}.</p>' if absent else ""
    if not rows:
        return left
    heads = ("quantity", "this candidate", "interval", "n", "champion, then", "change")
    return table(heads, map(_line, rows)) + left


def _line(row: OperationRow) -> tuple[str, ...]:
    metric = row.metric
    return (
        shown(quantity.words(metric)),
        shown(quantity.show(metric, row.value)),
        shown(f"{quantity.number(metric, row.lower)} to {quantity.number(metric, row.upper)}"),
        f"{row.n:,}",
        "not measured" if row.before is None else shown(quantity.show(metric, row.before)),
        "–" if row.before is None else shown(quantity.show_change(metric, row.before, row.value)),
    )
