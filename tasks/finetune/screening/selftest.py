"""The screen tested on its own settings and rows: poison is planted into a copy, and looked for.

tested = self_test(rows, vectors, report, settings, labels, guard, embed)
tested.kinds["multi-word"].recall, tested.false_rows
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from infra.config.screening import ScreeningSettings
from infra.guard import GuardPolicy
from tasks.finetune.screening.planting import FLIPS, TRIGGERS, Planted, plant
from tasks.finetune.screening.rows import row_id
from tasks.finetune.screening.screen import screen_rows
from tasks.records import Row
from tasks.records.screening import PlantedRecall, ScreeningReport, SelfTest, SuspicionKind

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def self_test(
    rows: Sequence[Row],
    vectors: NDArray[np.float32],
    report: ScreeningReport,
    settings: ScreeningSettings,
    labels: Sequence[str],
    guard: GuardPolicy,
    embed: Embed,
    *,
    seed: int | None = None,
    kinds: Sequence[str] = (FLIPS, *TRIGGERS),
) -> SelfTest:
    """Recall and false alarms on planted poison; only changed texts are embedded again.

    `report` is the screen of the rows as they are: what it holds back already is no false alarm.
    Raises DataError when there are too few rows to plant anything.
    """
    seed = settings.seed if seed is None else seed
    planted = plant(rows, labels, settings, seed=seed, kinds=kinds)
    poisoned = screen_rows(planted.rows, vectors_of(planted, rows, vectors, embed), settings, labels, guard)
    return _count(planted, poisoned, report, seed)


def vectors_of(
    planted: Planted, rows: Sequence[Row], vectors: NDArray[np.float32], embed: Embed
) -> NDArray[np.float32]:
    """Vectors of the poisoned copy: those of the rows, embedded again where the text changed."""
    changed = [at for at in planted.touched if planted.rows[at].text != rows[at].text]
    if not changed:
        return vectors
    copy = vectors.copy()
    copy[changed] = embed([planted.rows[at].text for at in changed])
    return copy


def _count(planted: Planted, poisoned: ScreeningReport, before: ScreeningReport, seed: int) -> SelfTest:
    touched = {row_id(planted.rows[at]) for at in planted.touched}
    held = set(poisoned.held)
    # Flips are reported, not all held back: found is what the review list shows.
    listed = {each.row for each in poisoned.suspicions if each.kind == SuspicionKind.FLIP}
    kinds = {}
    for kind, positions in planted.kinds.items():
        names = {row_id(planted.rows[at]) for at in positions}
        kinds[kind] = PlantedRecall(
            planted=len(names), found=len(names & (listed if kind == FLIPS else held))
        )
    return SelfTest(
        seed=seed,
        kinds=kinds,
        false_rows=len(held - touched - set(before.held)),
        clean_rows=poisoned.rows - len(touched),
        flips_listed=len(listed),
    )
