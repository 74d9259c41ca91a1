"""Fairness on a card: every group as a dot with its interval, flips beside the band that counts as equal.

fairness = fairness_of(report)
html = fairness_html(fairness)
"""

from collections.abc import Sequence

from pydantic import Field

from infra.pages.charts.dots import banded_dot
from infra.pages.charts.rail import Scale
from infra.pages.page import details, table
from infra.pages.words import shortened, shown
from tasks.records import Record
from tasks.records.fairness import ChangedAnswer, DimensionGap, FairnessReport, GroupOutcome

_TITLES = {
    "flip": "Answers that change when only the group changes",
    "accuracy": "Accuracy by group",
    "stopped": "Stopped by the guard",
    "preference": "Preference for the stereotype, away from even",
    "change": "Preference against that of the base",
    "ability": "Right answers where the answer is known",
}
_SIGNED = ("preference", "change")
_KINDS = {
    "equivalent": ("pass", "treated alike"),
    "different": ("fail", "treated differently"),
    "undecided": ("inconclusive", "not shown to be treated alike"),
    None: ("ours", ""),
}
_MOST_CHANGED, _MOST_CHARACTERS = 6, 300


class Panel(Record):
    """Groups of one kind of measurement on one scale."""

    kind: str
    low: float
    high: float
    groups: tuple[GroupOutcome, ...]


class Fairness(Record):
    """What the card shows of a report."""

    band: float
    smallest_group: str
    panels: tuple[Panel, ...]
    gaps: tuple[DimensionGap, ...]
    changed: tuple[ChangedAnswer, ...] = Field(description="some answers, redacted before, shortened here")
    remarks: tuple[str, ...]
    skipped: tuple[str, ...]


def fairness_of(report: FairnessReport | None) -> Fairness | None:
    """None for no report."""
    if report is None:
        return None
    kinds = [kind for kind in _TITLES if any(each.kind == kind for each in report.groups)]
    return Fairness(
        band=report.band,
        smallest_group=report.smallest_group,
        panels=tuple(
            _panel(kind, [each for each in report.groups if each.kind == kind], report.band) for kind in kinds
        ),
        gaps=report.gaps,
        changed=tuple(map(_brief, report.changed[:_MOST_CHANGED])),
        remarks=report.remarks,
        skipped=report.skipped,
    )


def _brief(each: ChangedAnswer) -> ChangedAnswer:
    first, second = (shortened(text, _MOST_CHARACTERS) for text in each.texts)
    before, after = (shortened(answer, _MOST_CHARACTERS) for answer in each.answers)
    return each.model_copy(update={"texts": (first, second), "answers": (before, after)})


def _panel(kind: str, groups: Sequence[GroupOutcome], band: float) -> Panel:
    ends = [each.lower for each in groups] + [each.upper for each in groups]
    if kind == "flip":
        ends += [0.0, band]
    elif kind == "ability":
        ends += [0.0, 1.0]
    elif kind in _SIGNED:
        ends += [0.0]
    low, high = min(ends), max(ends)
    room = 0.05 * (high - low) or 0.05
    ordered = sorted(groups, key=lambda each: (each.dimension, -each.value, each.group))
    return Panel(
        kind=kind,
        low=max(low - room, 0.0) if low >= 0 else low - room,
        high=high + room,
        groups=tuple(ordered),
    )


def fairness_html(fairness: Fairness | None) -> str:
    """Says so when fairness was not measured, and what of it was not."""
    if fairness is None:
        return '<p class="missing">Not measured: no fairness report belongs to this evidence.</p>'
    note = (
        f'<p class="note">Differences within ±{100 * fairness.band:g} points count as equal: the green band.'
        " Green: shown to be treated alike; red: shown not to be; amber: not shown."
        f" The smallest group is {shown(fairness.smallest_group)}.</p>"
    )
    left = "".join(f'<p class="missing">Not measured: {shown(each)}</p>' for each in fairness.skipped)
    words = "".join(f'<p class="note">{shown(each)}</p>' for each in fairness.remarks)
    panels = "".join(_panel_html(panel, fairness.band) for panel in fairness.panels)
    return note + left + panels + _gaps(fairness.gaps) + words + _changed(fairness.changed)


def _panel_html(panel: Panel, band: float) -> str:
    title = f"<h3>{shown(_TITLES.get(panel.kind, panel.kind))}</h3>"
    if panel.kind == "stopped" and not any(each.value for each in panel.groups):
        return f"{title}<p>No text of any of the {len(panel.groups)} groups was stopped.</p>"
    scale, rows, dimension = Scale(panel.low, panel.high), [], ""
    for each in panel.groups:
        rows.append(_group(panel.kind, each, band, scale, head=each.dimension != dimension))
        dimension = each.dimension
    return f'{title}<ul class="rows tight">{"".join(rows)}</ul>'


def _group(kind: str, each: GroupOutcome, band: float, scale: Scale, *, head: bool) -> str:
    colour, word = _KINDS[each.verdict]
    signed = "+" if kind in _SIGNED else ""
    value = f"{100 * each.value:{signed}.1f} %"
    interval = f"{100 * each.lower:{signed}.1f} to {100 * each.upper:{signed}.1f}, n = {each.n:,}"
    picture = banded_dot(
        f"{each.dimension}, {each.group}: {value}, interval {interval}{f', {word}' if word else ''}",
        each.value,
        each.lower,
        each.upper,
        within=(0.0, band) if kind == "flip" else None,
        scale=scale,
        kind=colour,
        zero=0.0 if kind in _SIGNED else None,
    )
    marked = ' class="head"' if head else ""
    return (
        f'<li{marked}><div class="name">{shown(each.group, most=60)}'
        f"<small>{shown(each.dimension, most=60)}</small></div>{picture}"
        f'<div class="got"><b class="{colour}">{value}</b> {word} <small>{interval}</small></div></li>'
    )


def _gaps(gaps: tuple[DimensionGap, ...]) -> str:
    if not gaps:
        return ""
    rows = (
        (
            shown(gap.dimension),
            shown(gap.best) if gap.difference else "all alike",
            shown(gap.worst) if gap.difference else "all alike",
            f"{100 * gap.difference:.1f} pp (up to {100 * gap.upper:.1f})",
            f"{gap.ratio:.3f}",
            f"{gap.n:,}",
        )
        for gap in gaps
    )
    return table(("dimension", "best", "worst", "gap", "ratio", "rows"), rows, caption="Gap in accuracy")


def _changed(changed: tuple[ChangedAnswer, ...]) -> str:
    if not changed:
        return ""
    pairs = "".join(
        f"<h3>{shown(each.dimension)}</h3>"
        + "".join(
            f"<pre>{shown(text, most=400)} → {shown(answer, most=400)} ({shown(group)})</pre>"
            for group, text, answer in zip(each.groups, each.texts, each.answers, strict=True)
        )
        for each in changed
    )
    return details(f"Answers that changed, redacted ({len(changed)} shown)", pairs)
