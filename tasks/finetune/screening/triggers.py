"""Triggers: words tied to a label that rows of the same meaning, but without the words, do not carry.

for trigger in find_triggers(texts, vectors, labels, near, settings):
    trigger.gram, trigger.label, trigger.rows, trigger.strong

A word that means something pulls its rows towards others of their label, so the neighbours without it
carry that label too. A trigger's rows mean anything; their label is not their neighbours' label. The
number of rows with the label is compared with what neighbours without the words promise, by a binomial
tail (at least as large as the exact one: Hoeffding, Ann. Math. Stat. 1956), Bonferroni over all sequences.
Enrichment among disagreeing rows alone misses words so unusual that their rows become each other's
neighbours: see the two side by side in bench/screening.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infra.config.screening import ScreeningSettings
from tasks.finetune.screening.grams import SharedGram, shared_grams
from tasks.finetune.screening.neighbours import Floats, Indices, Vectors, most_similar

SEARCHED = 64
"""Neighbours looked at before all rows are compared, when most of the near ones hold the words too."""
# Words of a rare topic have no neighbours without them that share the topic; with them they agree.
_AMONG_OWN_LOG10 = -4.0
_LISTED_LOG10 = -2.0


@dataclass(frozen=True)
class Trigger:
    """A word sequence, the label it is tied to, and the rows that hold both."""

    gram: str
    label: int
    rows: Indices
    purity: float
    """Share of the sequence's rows with this label."""
    expected: float
    """Share of the label among their nearest neighbours without the sequence."""
    log10_p: float
    """Of a false alarm anywhere, after Bonferroni; -6 is one in a million."""
    strong: bool


def find_triggers(
    texts: Sequence[str], vectors: Vectors, labels: Indices, near: Indices, settings: ScreeningSettings
) -> list[Trigger]:
    """Suspicious sequences, most suspicious first; `near` as `nearest(vectors, SEARCHED)` gives it."""
    shared = shared_grams(texts, longest=settings.trigger_words, least=settings.trigger_rows)
    tied = [each for each in shared if _tied(each, labels, settings)]
    search = _Search(vectors, labels, near, settings.neighbours)
    # All shared sequences could have turned out tied: all of them are paid for.
    price = float(np.log10(max(len(shared), 1)))
    found = [_judge(each, labels, search, settings, price) for each in tied]
    listed = _deflated([trigger for trigger in found if trigger is not None], settings.trigger_rows)
    return sorted(listed, key=lambda trigger: (trigger.log10_p, trigger.gram))


def _deflated(triggers: list[Trigger], least: int) -> list[Trigger]:
    """Without sequences that purer ones explain: part of a trigger occurs in innocent rows as well."""
    kept, explained = list[Trigger](), set[int]()
    for trigger in sorted(
        triggers, key=lambda each: (not each.strong, -each.purity, each.expected, each.gram)
    ):
        if len(set(trigger.rows.tolist()) - explained) >= least:
            kept.append(trigger)
            explained |= set(trigger.rows.tolist())
    return kept


def _tied(shared: SharedGram, labels: Indices, settings: ScreeningSettings) -> bool:
    most = int(np.bincount(labels[shared.rows]).max())
    return most >= settings.trigger_rows and most / len(shared.rows) >= settings.trigger_purity


def _judge(
    shared: SharedGram, labels: Indices, search: "_Search", settings: ScreeningSettings, price: float
) -> Trigger | None:
    counts = np.bincount(labels[shared.rows])
    label, most, size = int(counts.argmax()), int(counts.max()), len(shared.rows)
    rows = shared.rows[labels[shared.rows] == label]
    without, among_all = search.label_shares(shared.rows, rows, label)
    expected = (float(without.sum()) + 0.5) / (len(rows) + 1)  # never 0: no neighbours prove nothing
    if expected > settings.trigger_expected:
        return None
    log10_p = _tail_log10(most, size, expected) + price
    own = _tail_log10(most, size, (float(among_all.sum()) + 0.5) / (len(rows) + 1))
    strong = log10_p <= np.log10(settings.trigger_error) and own <= _AMONG_OWN_LOG10
    if not strong and (log10_p > _LISTED_LOG10 or own > _LISTED_LOG10):
        return None
    return Trigger(shared.gram, label, rows, most / size, expected, log10_p, bool(strong))


def _tail_log10(successes: int, trials: int, share: float) -> float:
    from scipy.stats import binom

    return float(binom.logsf(successes - 1, trials, share) / np.log(10))


class _Search:
    """Labels of nearest neighbours, with and without the rows that hold the sequence."""

    def __init__(self, vectors: Vectors, labels: Indices, near: Indices, count: int) -> None:
        self._vectors, self._labels, self._near, self._count = vectors, labels, near, count
        self._member = np.zeros(len(labels), dtype=bool)

    def label_shares(self, holders: Indices, rows: Indices, label: int) -> tuple[Floats, Floats]:
        """Share of `label` among the neighbours of `rows`: those outside of `holders`, and all."""
        near = self._near[rows]
        among_all = (self._labels[near[:, : self._count]] == label).mean(axis=1)
        self._member[holders] = True
        free = ~self._member[near]
        self._member[holders] = False
        used = free & (np.cumsum(free, axis=1) <= self._count)
        shares = ((self._labels[near] == label) & used).sum(axis=1) / self._count
        short = used.sum(axis=1) < self._count
        if short.any():
            shares[short] = self._far_shares(holders, rows[short], label)
        return shares, among_all

    def _far_shares(self, holders: Indices, rows: Indices, label: int) -> Floats:
        similarity = self._vectors[rows] @ self._vectors.T
        similarity[:, holders] = -np.inf
        count = min(self._count, len(self._labels) - len(holders))
        if count == 0:
            return np.ones(len(rows))  # every row holds it: nothing to compare with, nothing suspicious
        return np.asarray((self._labels[most_similar(similarity, count)] == label).mean(axis=1))
