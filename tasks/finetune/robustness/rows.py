"""A part of the rows with as many of every label, the same for any order of the rows.

evenly(rows, 220, seed=0)
"""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import TypeVar

from tasks.finetune.augmentation.epochs import Labelled

AnyRow = TypeVar("AnyRow", bound=Labelled)


def evenly(rows: Sequence[AnyRow], most: int, seed: int) -> list[AnyRow]:
    """At most `most` rows, taken label by label in turn, in their order; all when there are no more."""
    if len(rows) <= most:
        return list(rows)
    waiting: dict[str, list[int]] = defaultdict(list)
    for at in sorted(range(len(rows)), key=lambda at: _rank(seed, rows[at].text)):
        waiting[rows[at].label].append(at)
    depth = max(map(len, waiting.values()))
    turns = [some[turn] for turn in range(depth) for _, some in sorted(waiting.items()) if turn < len(some)]
    return [rows[at] for at in sorted(turns[:most])]


def _rank(seed: int, text: str) -> bytes:
    return hashlib.sha256(f"{seed}:{text}".encode()).digest()
