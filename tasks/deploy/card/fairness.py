"""Fairness on a card: every group as a dot with its interval beside the band that counts as equal.

panels = fairness_panels(report)
html = fairness_html(panels)
"""

from collections.abc import Sequence
from typing import Literal

from infra.pages.charts.dots import banded_dot
from infra.pages.charts.rail import Scale
from infra.pages.words import shown
from tasks.records import Record
from tasks.records.fairness import FairnessReport, GroupOutcome

_TITLES = {
    "flip": "Answers that change when only the group changes",
    "accuracy": "Accuracy by group",
    "preference": "Preference for the stereotype, away from even",
}


class Panel(Record):
    """Groups of one kind of measurement on one scale."""

    kind: Literal["flip", "accuracy", "preference"]
    title: str
    low: float
    high: float
    zero: float
    """The middle of the band: no difference; for accuracy the mean over groups, weighted by their size."""
    groups: tuple[GroupOutcome, ...]


class Fairness(Record):
    """All panels; the band is the same for all."""

    band: float
    smallest_group: str
    panels: tuple[Panel, ...]
    corpora: dict[str, str]
    skipped: tuple[str, ...]


def fairness_of(report: FairnessReport | None) -> Fairness | None:
    """What the card shows of a report."""
    if report is None:
        return None
    kinds = [kind for kind in _TITLES if any(each.kind == kind for each in report.groups)]
    return Fairness(
        band=report.band,
        smallest_group=report.smallest_group,
        panels=tuple(
            _panel(kind, [e for e in report.groups if e.kind == kind], report.band) for kind in kinds
        ),
        corpora=report.corpora,
        skipped=report.skipped,
    )


def _panel(kind: str, groups: Sequence[GroupOutcome], band: float) -> Panel:
    zero = 0.0
    if kind == "accuracy":
        zero = sum(each.value * each.n for each in groups) / sum(each.n for each in groups)
    ends = [zero - band, zero + band, *(e.lower for e in groups), *(e.upper for e in groups)]
    low, high = min(ends), max(ends)
    if kind == "flip":
        low = 0.0
    room = 0.05 * (high - low)
    ordered = sorted(groups, key=lambda each: (each.dimension, -abs(each.value - zero), each.group))
    return Panel.model_validate(
        {
            "kind": kind, "title": _TITLES[kind], "zero": zero, "high": high + room,
            "low": low if kind == "flip" else low - room, "groups": ordered,
        }
    )  # fmt: skip


def fairness_html(fairness: Fairness | None) -> str:
    """Says so when fairness was not measured."""
    if fairness is None:
        return '<p class="missing">Not measured: no fairness report belongs to this evidence.</p>'
    note = (
        f'<p class="note">Green band: differences within ±{100 * fairness.band:g} points count as equal. The'
        f" smallest group is {shown(fairness.smallest_group)}.</p>"
    )
    left = "".join(f'<p class="note">Not read: {shown(each)}</p>' for each in fairness.skipped)
    return note + "".join(_panel_html(panel, fairness.band) for panel in fairness.panels) + left


def _panel_html(panel: Panel, band: float) -> str:
    scale, rows, dimension = Scale(panel.low, panel.high), [], ""
    for each in panel.groups:
        head = each.dimension != dimension
        dimension = each.dimension
        rows.append(_group(panel, each, band, scale, head=head))
    return f'<h3>{shown(panel.title)}</h3><ul class="rows tight">{"".join(rows)}</ul>'


def _group(panel: Panel, each: GroupOutcome, band: float, scale: Scale, *, head: bool) -> str:
    low, high = panel.zero - band, panel.zero + band
    inside = low <= each.lower and each.upper <= high
    outside = each.lower > high or each.upper < low
    kind, word = (
        ("pass", "within") if inside else ("fail", "outside") if outside else ("inconclusive", "not shown")
    )
    said = "not shown to be within the band" if kind == "inconclusive" else f"{word} the band"
    signed = "+" if panel.kind == "preference" else ""
    value = f"{100 * each.value:{signed}.1f} %"
    interval = f"{100 * each.lower:{signed}.1f} to {100 * each.upper:{signed}.1f}, n = {each.n:,}"
    picture = banded_dot(
        f"{each.dimension}, {each.group}: {value}, interval {interval}, {said}",
        each.value,
        each.lower,
        each.upper,
        within=(max(low, panel.low), min(high, panel.high)),
        scale=scale,
        kind=kind,
        zero=panel.zero,
    )
    marked = ' class="head"' if head else ""
    return (
        f'<li{marked}><div class="name">{shown(each.group, most=60)}'
        f"<small>{shown(each.dimension, most=60)}</small></div>{picture}"
        f'<div class="got"><b class="{kind}">{value}</b> {word} <small>{interval}</small></div></li>'
    )
