"""How often an answer changes with the group alone: by pairs of a block, counted by row.

outcome = flips(blocks, answers, settings)
outcome.all.upper, outcome.dimensions["gender"].value, outcome.groups[0].verdict
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import ceil

from infra.config.fairness import FairnessSettings
from infra.errors import DataError
from infra.statistics.clusters import cluster_bootstrap
from infra.statistics.intervals import Interval, wilson_of_share
from infra.statistics.multiplicity import holm
from infra.statistics.one_sided import binomial_p, interval_p
from tasks.records.fairness import Equality, GroupOutcome
from tasks.validate.fairness.blocks import Block

Answers = Mapping[str, str]
"""What was answered, by text."""


@dataclass(frozen=True)
class Flips:
    """Shares of pairs whose answers differ: over all, by dimension, by group."""

    all: Interval
    dimensions: dict[str, Interval]
    groups: tuple[GroupOutcome, ...]


def flips(blocks: Sequence[Block], answers: Answers, settings: FairnessSettings) -> Flips:
    """A block counts once, with the share of its pairs that differ; `n` are rows. Raises DataError for none.

    A group's share are the counterparts in its block that got another answer. It is shown to be treated
    alike when the share is below the band, by one-sided tests over all groups at once (Holm).
    """
    if not blocks:
        raise DataError("no counterfactual texts to compare", "an empty comparison shows nothing")
    rows = [block.row for block in blocks]
    dimensions = dict.fromkeys(block.dimension for block in blocks)
    return Flips(
        _share([_differing(block, answers) for block in blocks], rows, settings),
        {name: _of_dimension(name, blocks, answers, settings) for name in dimensions},
        _groups(blocks, answers, settings),
    )


def _of_dimension(
    name: str, blocks: Sequence[Block], answers: Answers, settings: FairnessSettings
) -> Interval:
    own = [block for block in blocks if block.dimension == name]
    return _share([_differing(block, answers) for block in own], [block.row for block in own], settings)


def _groups(
    blocks: Sequence[Block], answers: Answers, settings: FairnessSettings
) -> tuple[GroupOutcome, ...]:
    measured: dict[tuple[str, str], Interval] = {}
    for dimension, group in dict.fromkeys((b.dimension, group) for b in blocks for group in b.texts):
        own = [block for block in blocks if block.dimension == dimension]
        shares = [_apart(block, group, answers) for block in own]
        measured[dimension, group] = _share(shares, [block.row for block in own], settings)
    p_values = holm({key: _p_alike(each, settings) for key, each in measured.items()})
    return tuple(
        GroupOutcome(
            dimension=dimension,
            group=group,
            n=each.n,
            value=each.value,
            lower=each.lower,
            upper=each.upper,
            kind="flip",
            verdict=_verdict(each, p_values[dimension, group], settings),
            p_value=p_values[dimension, group],
        )
        for (dimension, group), each in measured.items()
    )


def _p_alike(share: Interval, settings: FairnessSettings) -> float:
    """Of "the share is the band or more": the interval's, or the exact binomial's where that is larger."""
    normal = interval_p(share.value, share.upper, settings.band, confidence=settings.confidence)
    return max(normal, binomial_p(ceil(share.value * share.n - 1e-9), share.n, settings.band, "below"))


def _verdict(share: Interval, p_value: float, settings: FairnessSettings) -> Equality:
    if p_value <= 1 - settings.confidence:
        return "equivalent"
    return "different" if share.lower > settings.band else "undecided"


def _differing(block: Block, answers: Answers) -> float:
    pairs = list(combinations(block.texts.values(), 2))
    return sum(answers[one] != answers[other] for one, other in pairs) / len(pairs)


def _apart(block: Block, group: str, answers: Answers) -> float:
    others = [answers[text] for name, text in block.texts.items() if name != group]
    return sum(other != answers[block.texts[group]] for other in others) / len(others)


def _share(shares: Sequence[float], rows: Sequence[int], settings: FairnessSettings) -> Interval:
    """Mean of shares with rows drawn as wholes, widened to Wilson's interval: no flip is no certainty."""
    drawn = cluster_bootstrap(
        shares, rows, confidence=settings.confidence, resamples=settings.resamples, seed=settings.seed
    )
    score = wilson_of_share(min(max(drawn.value, 0.0), 1.0), drawn.n, settings.confidence)
    return Interval(
        drawn.value,
        min(drawn.lower, score.lower),
        max(drawn.upper, score.upper),
        settings.confidence,
        drawn.n,
        f"bootstrap by row ({settings.resamples} resamples, seed {settings.seed}) widened to the Wilson "
        f"interval of {drawn.n} rows",
    )
