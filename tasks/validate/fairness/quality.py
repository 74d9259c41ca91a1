"""Accuracy and stopped requests by group with fairlearn, and the gap between the best and the worst group.

quality = group_quality(blocks, answers, labels, settings)
quality.gap.upper, quality.gaps[0].worst
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from infra.config.fairness import FairnessSettings
from infra.errors import DataError
from infra.statistics.equivalence import Equivalence, equivalent_pair
from infra.statistics.intervals import Interval, wilson
from infra.statistics.multiplicity import holm
from infra.statistics.paired import discordance, paired_difference
from tasks.records.fairness import DimensionGap, Equality, GroupOutcome
from tasks.validate.fairness.answers import STOPPED
from tasks.validate.fairness.blocks import Block
from tasks.validate.fairness.flips import Answers


@dataclass(frozen=True)
class Quality:
    """By group, by dimension, and the widest gap of all, whose interval holds for all pairs at once."""

    gap: Interval
    gaps: tuple[DimensionGap, ...]
    groups: tuple[GroupOutcome, ...]


@dataclass(frozen=True)
class _Dimension:
    name: str
    right: dict[str, list[bool]]
    """By group, one for each row, in the same order of rows."""
    stopped: dict[str, list[bool]]


def group_quality(
    blocks: Sequence[Block], answers: Answers, labels: Sequence[str], settings: FairnessSettings
) -> Quality:
    """`labels` are the true labels by row number. Raises DataError for no blocks.

    Every group of a dimension is asked on the same rows, so groups compare as pairs. The interval of a gap
    holds for all pairs of groups at once (Bonferroni): the widest is not wide by choice alone.
    """
    if not blocks:
        raise DataError("no counterfactual texts to compare", "an empty comparison shows nothing")
    names = dict.fromkeys(block.dimension for block in blocks)
    dimensions = [_dimension(name, blocks, answers, labels) for name in names]
    pairs = sum(len(each.right) * (len(each.right) - 1) // 2 for each in dimensions)
    gaps = tuple(_gap(each, settings, 1 - (1 - settings.confidence) / pairs) for each in dimensions)
    widest = max(gaps, key=lambda gap: (gap.difference, gap.upper))
    method = (
        f"widest of {len(gaps)} dimensions: {widest.dimension}, {widest.best} over {widest.worst}; paired "
        f"bootstrap by row widened to the Tango score interval, for all {pairs} pairs of groups at once"
    )
    bound = Interval(
        widest.difference,
        widest.lower,
        max(gap.upper for gap in gaps),
        settings.confidence,
        min(gap.n for gap in gaps),
        method,
    )
    return Quality(bound, gaps, _groups(dimensions, settings))


def _dimension(name: str, blocks: Sequence[Block], answers: Answers, labels: Sequence[str]) -> _Dimension:
    own = [block for block in blocks if block.dimension == name]
    groups = list(own[0].texts)
    given = {group: [answers[block.texts[group]] for block in own] for group in groups}
    truth = [labels[block.row] for block in own]
    return _Dimension(
        name,
        {group: [a == b for a, b in zip(some, truth, strict=True)] for group, some in given.items()},
        {group: [each.startswith(STOPPED) for each in some] for group, some in given.items()},
    )


def _gap(dimension: _Dimension, settings: FairnessSettings, confidence: float) -> DimensionGap:
    frame = _frame(dimension.right)
    shares = frame.by_group["share"]
    best, worst = str(shares.idxmax()), str(shares.idxmin())
    differences = [
        paired_difference(
            discordance(dimension.right[one], dimension.right[other]),
            confidence=confidence,
            resamples=settings.resamples,
            seed=settings.seed,
        )
        for one, other in combinations(dimension.right, 2)
    ]
    difference = float(frame.difference(method="between_groups")["share"])
    lower = max(max(each.lower, -each.upper, 0.0) for each in differences)
    upper = max(max(each.upper, -each.lower) for each in differences)
    return DimensionGap(
        dimension=dimension.name,
        best=best,
        worst=worst,
        n=len(dimension.right[best]),
        difference=difference,
        ratio=float(shares.min() / shares.max()) if shares.max() else 1.0,
        lower=min(lower, difference),
        upper=max(upper, difference),
    )


def _frame(holds: dict[str, list[bool]]) -> Any:
    """fairlearn's MetricFrame of one share (true values over all) by group."""
    from fairlearn.metrics import MetricFrame

    flat = [each for some in holds.values() for each in some]
    features = [group for group, some in holds.items() for _ in some]
    return MetricFrame(
        metrics={"share": lambda _, held: float(held.mean())},
        y_true=[True] * len(flat),
        y_pred=flat,
        sensitive_features=features,
    )


def _groups(dimensions: Sequence[_Dimension], settings: FairnessSettings) -> tuple[GroupOutcome, ...]:
    equal = {
        (each.name, one, other): equivalent_pair(
            discordance(each.right[one], each.right[other]),
            margin=settings.band,
            alpha=(1 - settings.confidence),
        )
        for each in dimensions
        for one, other in combinations(each.right, 2)
    }
    p_values = holm({key: 1.0 if each.p_value is None else each.p_value for key, each in equal.items()})
    outcomes = []
    for each in dimensions:
        for group, right in each.right.items():
            own = {key: table for key, table in equal.items() if key[0] == each.name and group in key[1:]}
            p_value = max(p_values[key] for key in own)
            verdict = _verdict(list(own.values()), p_value, settings)
            outcomes.append(_outcome(each.name, group, right, "accuracy", settings, verdict, p_value))
            outcomes.append(_outcome(each.name, group, each.stopped[group], "stopped", settings))
    return tuple(outcomes)


def _verdict(tables: Sequence[Equivalence], p_value: float, settings: FairnessSettings) -> Equality:
    if p_value <= 1 - settings.confidence:
        return "equivalent"
    return "different" if any(table.verdict == "different" for table in tables) else "undecided"


def _outcome(
    dimension: str,
    group: str,
    holds: Sequence[bool],
    kind: Any,
    settings: FairnessSettings,
    verdict: Equality | None = None,
    p_value: float | None = None,
) -> GroupOutcome:
    share = wilson(sum(holds), len(holds), settings.confidence)
    return GroupOutcome(
        dimension=dimension,
        group=group,
        n=share.n,
        value=share.value,
        lower=share.lower,
        upper=share.upper,
        kind=kind,
        verdict=verdict,
        p_value=p_value,
    )
