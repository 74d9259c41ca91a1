"""How many test labels are probably wrong, by the candidate's own probabilities on rows new to it.

noise = label_noise(items)       # noise.suspects: ids; noise.by_label: {label: (suspects, items)}

Confident learning (Northcutt, Jiang, Chuang, JAIR 2021): a label counts as wrong when its own probability is
below what is usual for its class while another class is as probable as is usual for that one. What the model
gets wrong with confidence counts too: the estimate is an upper one for a good model, and nothing for a bad.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from infra.errors import DataError
from infra.statistics.intervals import Interval, wilson
from tasks.validate.items import ItemResult


@dataclass(frozen=True)
class LabelNoise:
    """Items whose label is probably wrong, and all items, by given label."""

    suspects: tuple[str, ...]
    by_label: dict[str, tuple[int, int]]

    def share(self, confidence: float = 0.95) -> Interval:
        """Of all items, with its Wilson interval."""
        return wilson(len(self.suspects), sum(n for _, n in self.by_label.values()), confidence)


def label_noise(items: Sequence[ItemResult]) -> LabelNoise:
    """Pure; raises DataError for no items, or one without a probability for its label."""
    if not items:
        raise DataError("no item results", hint="an empty benchmark measures nothing")
    shares = [_probabilities(item) for item in items]
    usual = _usual(items, shares)
    suspects, counts = [], dict[str, tuple[int, int]]()
    for item, probabilities in zip(items, shares, strict=True):
        wrong = _is_suspect(item.label, probabilities, usual)
        found, n = counts.get(item.label, (0, 0))
        counts[item.label] = (found + wrong, n + 1)
        if wrong:
            suspects.append(item.id)
    return LabelNoise(tuple(suspects), dict(sorted(counts.items())))


def _probabilities(item: ItemResult) -> dict[str, float]:
    if item.log_probs is None or item.label not in item.log_probs:
        raise DataError(f"item {item.id} has no probability for its label {item.label!r}")
    found = {label: math.exp(value) for label, value in item.log_probs.items()}
    if not all(math.isfinite(value) for value in found.values()):
        raise DataError(f"item {item.id} has probabilities that are no numbers")
    return found


def _usual(items: Sequence[ItemResult], shares: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean probability of a label among the items that carry it; none for others."""
    sums: dict[str, list[float]] = {}
    for item, probabilities in zip(items, shares, strict=True):
        sums.setdefault(item.label, []).append(probabilities[item.label])
    return {label: math.fsum(values) / len(values) for label, values in sums.items()}


def _is_suspect(given: str, probabilities: dict[str, float], usual: dict[str, float]) -> bool:
    others = (label for label in usual if label != given and label in probabilities)
    return probabilities[given] < usual[given] and any(probabilities[each] >= usual[each] for each in others)
