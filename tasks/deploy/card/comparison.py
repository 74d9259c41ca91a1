"""Candidate against champion (or, where there is none, against its base): better, worse, or within noise.

compared = compare(evidence, champion)
html = comparison_html(compared)
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field

from infra.pages.charts.dumbbell import Dumbbell, dumbbell
from infra.pages.words import shown
from tasks.deploy.card import quantity
from tasks.records import Evidence, EvidenceSet, Record, Slice

Outcome = Literal["better", "worse", "noise"]
_MOST_LABELS = 40
_KINDS = {"better": "pass", "worse": "fail", "noise": "other"}


class Pair(Record):
    """One quantity of both; all shares."""

    name: str
    metric: str
    before: float
    after: float
    lower: float = Field(description="of the value after")
    upper: float
    outcome: Outcome
    by: Literal["paired interval", "separate intervals"] = Field(description="how noise was told")


class Comparison(Record):
    """Metrics first, then accuracy by label with the worst change first."""

    against: Literal["champion", "base", "nothing"]
    metrics: tuple[Pair, ...]
    labels: tuple[Pair, ...]
    hidden_labels: int = Field(0, description="labels that lost less, or gained, beyond those shown")


def compare(evidence: EvidenceSet, earlier: EvidenceSet | None, *, has_champion: bool) -> Comparison:
    """`earlier` is the champion's own evidence, for what was not measured again on today's items."""
    found = {item.metric: item for item in evidence.evidence}
    against = "champion" if "champion_accuracy" in found or has_champion else "base"
    reference = found.get(f"{against}_accuracy")
    ours = found.get("accuracy")
    metrics: list[Pair] = []
    labels: list[Pair] = []
    if ours is not None and reference is not None:
        paired = found.get(f"accuracy_gain_over_{against}")
        metrics.append(_pair("accuracy", "accuracy", reference, ours, paired))
        slices = paired.slices if paired is not None else {}
        labels = [
            _pair(label, "accuracy", reference.slices[label], part, slices.get(label))
            for label, part in ours.slices.items()
            if label in reference.slices
        ]
    if against == "champion" and earlier is not None:
        metrics += _from_before(found, {item.metric: item for item in earlier.evidence})
    labels.sort(key=lambda pair: (pair.after - pair.before, pair.name))
    hidden = max(len(labels) - _MOST_LABELS, 0)
    if not metrics:
        against = "nothing"
    return Comparison(
        against=against, metrics=tuple(metrics), labels=tuple(labels[:_MOST_LABELS]), hidden_labels=hidden
    )


def _from_before(now: Mapping[str, Evidence], before: Mapping[str, Evidence]) -> Iterable[Pair]:
    for metric, item in now.items():
        told = metric in ("accuracy", "champion_accuracy", "base_accuracy") or "_gain_" in metric
        if not told and metric in before and not quantity.quantity(metric):
            yield _pair(quantity.words(metric), metric, before[metric], item, None)


def _pair(
    name: str,
    metric: str,
    before: Evidence | Slice,
    after: Evidence | Slice,
    paired: Evidence | Slice | None,
) -> Pair:
    if paired is not None:
        noise = paired.lower <= 0 <= paired.upper
    else:
        # Without pairs, only intervals that are apart show a difference.
        noise = before.lower <= after.upper and after.lower <= before.upper
    up = after.value > before.value
    outcome: Outcome = "better" if up == quantity.higher_is_better(metric) else "worse"
    return Pair(
        name=name,
        metric=metric,
        before=before.value,
        after=after.value,
        lower=after.lower,
        upper=after.upper,
        outcome="noise" if noise else outcome,
        by="paired interval" if paired is not None else "separate intervals",
    )


def comparison_html(compared: Comparison) -> str:
    """Says so when there is nothing to compare with."""
    if compared.against == "nothing":
        return '<p class="missing">Not measured: there is no evidence of a champion or base.</p>'
    names = {"champion": "the champion", "base": "its base model: there is no champion yet"}
    note = (
        f'<p class="note">Against {names[compared.against]}. Hollow: before; filled: this candidate, with its'
        " interval in grey. Green is better, red is worse, grey is within noise: the paired interval of the"
        " difference covers 0, or, where no pairs exist, the two intervals overlap.</p>"
    )
    parts = [note, _list(compared.metrics)]
    if compared.hidden_labels:
        more = f'<p class="note">{compared.hidden_labels:,} more labels, which lost less or gained.</p>'
    else:
        more = ""
    if compared.labels:
        parts.append(f"<h3>Accuracy by label, the largest loss first</h3>{_list(compared.labels)}{more}")
    return "".join(parts)


def _list(pairs: tuple[Pair, ...]) -> str:
    return f'<ul class="rows tight">{"".join(map(_line, pairs))}</ul>'


def _line(pair: Pair) -> str:
    kind, metric = _KINDS[pair.outcome], pair.metric
    change = quantity.show_change(metric, pair.before, pair.after)
    said = f"{quantity.number(metric, pair.before)} → {quantity.show(metric, pair.after)}"
    word = "within noise" if pair.outcome == "noise" else pair.outcome
    low = min(0.0, pair.before, pair.lower)
    high = 1.0 if max(pair.upper, pair.before) > 0.25 else 0.25
    picture = dumbbell(
        f"{pair.name}: {said}, {change}, {word}",
        Dumbbell(pair.before, pair.after, pair.lower, pair.upper),
        kind=kind,
        low=low,
        high=high,
    )
    figures = f'{shown(said)} <b class="{kind}">{shown(change)}</b> <small>{word}</small>'
    name = shown(pair.name, most=80)
    return f'<li><div class="name">{name}</div>{picture}<div class="got">{figures}</div></li>'
