"""The gates on a card: each a bullet chart, the worst margin first; waivers in red, what is missing in words.

rows = gate_rows(report, evidence)
html = gates_html(rows, checks)
"""

import math
from typing import Literal

from infra.pages.charts.bullet import Bullet, bullet
from infra.pages.page import details, table
from infra.pages.words import shown
from tasks.deploy.card import quantity
from tasks.records import Evidence, EvidenceSet, GateReport, GateResult, Record, Verdict, Waiver

_ORDER = {Verdict.FAIL: 0, Verdict.INCONCLUSIVE: 1, Verdict.PASS: 3}
_OPS = {">": "above", ">=": "≥", "<": "below", "<=": "≤"}


class GateRow(Record):
    """One gate: what was measured, what it was held against, how far it is from that."""

    gate: str
    metric: str
    statistic: str
    value: float | None
    lower: float | None
    upper: float | None
    got: float | None
    op: str
    limit: float | None
    n: int | None
    missing: int | None
    """Items that are missing for a decision; None: none, or nobody can say."""
    margin: float | None
    """From the limit to the statistic, in widths of the interval; below 0 on the wrong side."""
    severity: str
    slice: str | None
    verdict: Verdict
    message: str
    waiver: Waiver | None


class CheckRow(Record):
    """A check that did not end as it should."""

    check: str
    metrics: tuple[str, ...]
    reason: str


class RefusedRow(Record):
    """A waiver that was there and did not count."""

    gate: str
    owner: str
    reason: str


def refused_rows(report: GateReport) -> tuple[RefusedRow, ...]:
    """Waivers that did not count, by the gate that they name or the file that they are in."""
    return tuple(
        RefusedRow(gate=each.gate or each.file, owner=each.owner or "unknown", reason=each.reason)
        for each in report.refused
    )


def gate_rows(report: GateReport, evidence: EvidenceSet) -> tuple[GateRow, ...]:
    """All gates: failed, inconclusive, waived, passed; within each the worst margin first."""
    measured = {item.metric: item for item in evidence.evidence}
    rows = [_row(result, measured.get(result.metric)) for result in report.results]
    return tuple(sorted(rows, key=_rank))


def check_rows(evidence: EvidenceSet) -> tuple[CheckRow, ...]:
    """Checks that crashed, hung or gave no number."""
    return tuple(
        CheckRow(check=each.check, metrics=each.metrics, reason=each.reason) for each in evidence.failures
    )


def _rank(row: GateRow) -> tuple[float, float, str]:
    order = 2 if row.waiver is not None else _ORDER[row.verdict]
    return order, row.margin if row.margin is not None else -math.inf, row.gate


def _row(result: GateResult, item: Evidence | None) -> GateRow:
    part = item.slices.get(result.slice) if item is not None and result.slice is not None else item
    value = result.value if result.value is not None else part.value if part else None
    lower = result.lower if result.lower is not None else part.lower if part else None
    upper = result.upper if result.upper is not None else part.upper if part else None
    op = result.op or ("<=" if "upper" in result.statistic else ">=")
    return GateRow(
        gate=result.gate,
        metric=result.metric,
        statistic=result.statistic,
        value=value,
        lower=lower,
        upper=upper,
        got=result.got,
        op=op,
        limit=result.limit,
        n=result.n,
        missing=_missing(result),
        margin=_margin(result.got, result.limit, op, lower, upper),
        severity=result.severity,
        slice=result.slice,
        verdict=result.verdict,
        message=result.message,
        waiver=result.waiver,
    )


def _missing(result: GateResult) -> int | None:
    if result.verdict != Verdict.INCONCLUSIVE and result.waiver is None:
        return None
    wanted = result.needed if result.needed is not None else result.min_n
    more = (wanted or 0) - (result.n or 0)
    return more if more > 0 else None


def _margin(
    got: float | None, limit: float | None, op: str, lower: float | None, upper: float | None
) -> float | None:
    if got is None or limit is None:
        return None
    distance = got - limit if op.startswith(">") else limit - got
    width = upper - lower if upper is not None and lower is not None else 0.0
    return round(distance / (width or abs(limit) or 1.0), 4)


def gates_html(
    rows: tuple[GateRow, ...], checks: tuple[CheckRow, ...], refused: tuple[RefusedRow, ...] = ()
) -> str:
    """All of it; a report without gates says so."""
    broken = "".join(
        f'<p class="missing"><strong class="fail">{shown(each.check)} did not end as it should:</strong>'
        f" {shown(each.reason)}. Not measured: {shown(', '.join(each.metrics)) or 'unknown'}.</p>"
        for each in checks
    )
    broken += "".join(
        f'<p class="missing"><strong class="fail">A waiver does not count:</strong> {shown(each.gate)},'
        f" by {shown(each.owner)}: {shown(each.reason)}</p>"
        for each in refused
    )
    if not rows:
        return f'{broken}<p class="missing">No gate was judged: not measured.</p>'
    note = (
        '<p class="note">Dot: measured. Line: its interval. Black mark: the limit; green: what is allowed.'
        " Worst first, by distance from the limit in widths of the interval.</p>"
    )
    numbers = table(
        ("gate", "statistic", "got", "interval", "limit", "n", "margin", "severity", "verdict"),
        map(_numbers, rows),
        caption="Every gate in numbers, and in the words of its rule",
    )
    return f'{broken}{note}<ol class="rows">{"".join(map(_gate, rows))}</ol>{details("All numbers", numbers)}'


def _gate(row: GateRow) -> str:
    kind: Literal["fail"] | Verdict = "fail" if row.waiver is not None else row.verdict
    chip = "waived" if row.waiver is not None else row.verdict.value
    part = f" · decided by {shown(row.slice)}" if row.slice else ""
    about = f"{shown(quantity.words(row.metric))}{part}" if row.metric != "none" else "demanded, not judged"
    chart = gate_chart(row) or '<span class="note">no figure: not measured</span>'
    return (
        f'<li><div class="name">{shown(row.gate)}<small>{about}</small></div>{chart}'
        f'<div class="got"><span class="chip {kind}">{chip}</span> {_figures(row)}</div>{_why(row)}</li>'
    )


def _figures(row: GateRow) -> str:
    if row.value is None:
        return ""
    metric = row.metric
    interval = ""
    if row.lower is not None and row.upper is not None:
        interval = f"{quantity.number(metric, row.lower)} to {quantity.number(metric, row.upper)}"
    counted = f", n = {row.n:,}" if row.n is not None else ""
    return f"<b>{shown(quantity.show(metric, row.value))}</b> <small>{shown(interval)}{counted}</small>"


def _why(row: GateRow) -> str:
    parts = []
    if row.verdict != Verdict.PASS or row.waiver is not None:
        parts.append(f'<p class="why">{shown(row.message, most=600)}</p>')
    if row.missing is not None:
        total = (row.n or 0) + row.missing
        parts.append(
            f'<p class="why"><strong>{row.missing:,} more items are missing</strong>: {row.n or 0:,} were'
            f" measured, about {total:,} would decide.</p>"
        )
    if row.waiver is not None:
        waiver = row.waiver
        parts.append(
            f'<p class="waived"><strong>Waived by {shown(waiver.owner)} until {waiver.expires}:</strong>'
            f" {shown(waiver.reason, most=600)}</p>"
        )
    return "".join(parts)


def gate_chart(row: GateRow) -> str:
    """The bullet chart of a gate; empty where nothing was measured."""
    if row.value is None or row.lower is None or row.upper is None or row.limit is None:
        return ""
    low, high = _extent(row.metric, (row.lower, row.upper, row.limit))
    limit = f"{_OPS.get(row.op, row.op)} {quantity.show_limit(row.metric, row.limit)}"
    bound = "" if row.statistic == "point" else f"{row.statistic.replace('_', ' ')} bound "
    said = (
        f"{row.gate}: {row.verdict.value}; {quantity.show(row.metric, row.value)},"
        f" interval {quantity.number(row.metric, row.lower)} to {quantity.number(row.metric, row.upper)},"
        f" limit: {bound}{limit}"
    )
    kind = "fail" if row.waiver is not None else row.verdict.value
    above = row.op.startswith(">")
    chart = Bullet(row.value, row.lower, row.upper, row.limit, above=above, low=low, high=high)
    return bullet(said, chart, kind=kind, limit=limit)


def _extent(metric: str, values: tuple[float, ...]) -> tuple[float, float]:
    """Both ends of the scale: 0 and all values are on it, shares never beyond 1."""
    low, high = min(0.0, *values), max(0.0, *values)
    if not quantity.quantity(metric) and not quantity.is_signed(metric):
        # A limit of one percent needs a scale of its own, one of fifty the whole one.
        return low, 1.0 if high > 0.4 else min(1.3 * high or 0.05, 1.0)
    room = 0.12 * (high - low) or 1.0
    return (low - room if low < 0 else low), high + room


def _numbers(row: GateRow) -> tuple[str, ...]:
    metric = row.metric
    interval = "none"
    if row.lower is not None and row.upper is not None:
        interval = f"{quantity.number(metric, row.lower)} to {quantity.show(metric, row.upper)}"
    return (
        f"{shown(row.gate)}<br><small>{shown(row.message, most=240)}</small>",
        shown(row.statistic),
        "none" if row.got is None else shown(quantity.show(metric, row.got)),
        shown(interval),
        "none" if row.limit is None else f"{shown(row.op)} {shown(quantity.show_limit(metric, row.limit))}",
        "none" if row.n is None else f"{row.n:,}",
        "none" if row.margin is None else f"{row.margin:+.2f}",
        shown(row.severity),
        f'<span class="{row.verdict.value}">{row.verdict.value}</span>',
    )
