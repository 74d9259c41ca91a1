"""Rows in the order in which they are trained on: seeded, of like length within a batch.

for indices in epoch_batches(lengths, batch_size=32, seed=0, epoch=1): ...
"""

import random
from collections.abc import Sequence

# Rows are sorted by length within pools of this many batches: enough to leave 5 % padding, few
# enough that no batch is decided by length alone.
POOL = 10


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """Every row index exactly once. A function of its arguments alone, so a resumed run needs no state."""
    shuffle = random.Random(f"{seed}:{epoch}")  # noqa: S311  # an order of rows, not a secret
    order = list(range(len(lengths)))
    shuffle.shuffle(order)
    batches: list[list[int]] = []
    for start in range(0, len(order), batch_size * POOL):
        pool = sorted(order[start : start + batch_size * POOL], key=lambda index: (lengths[index], index))
        batches += [pool[at : at + batch_size] for at in range(0, len(pool), batch_size)]
    shuffle.shuffle(batches)
    return batches


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Number of batches that `epoch_batches` gives."""
    full, rest = divmod(rows, batch_size * POOL)
    return full * POOL + -(-rest // batch_size)
