"""The rows that stand best for all rows of a label: greedy facility location on embeddings.

order = cover(vectors, eligible, costs, count)     # indices; the first is the medoid among those eligible

Each row adds most to the summed best similarity of all rows (Lin & Bilmes, ACL 2011): unlike k-centre,
which runs after outliers, and in text outliers are the mislabelled and the malformed.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_NEARLY_BEST = 0.95
MOST_ROWS = 2000
"""Rows of one label that are compared with one another: 2,000 take 16 MB."""


def cover(
    vectors: "npt.NDArray[np.float32]", eligible: Sequence[int], costs: Sequence[int], count: int
) -> list[int]:
    """Up to `count` of the `eligible` row numbers, best first.

    `vectors` [n, d] are of length 1 and include rows that may not be chosen but want to be covered.
    `costs` [n]: among rows that add nearly as much as the best one the cheapest is taken, then the first.
    """
    import numpy as np

    if not eligible:
        return []
    candidates = np.asarray(eligible)
    similarity = np.maximum(vectors @ vectors[candidates].T, 0)  # [n, candidates]
    covered = np.zeros(len(vectors), dtype=np.float32)
    free = np.ones(len(candidates), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < count and free.any():
        gains = np.maximum(similarity - covered[:, None], 0).sum(0)
        gains[~free] = -1
        near = np.flatnonzero(free & (gains >= _NEARLY_BEST * gains.max()))
        best = min(near.tolist(), key=lambda at: (costs[eligible[at]], at))
        free[best] = False
        covered = np.maximum(covered, similarity[:, best])
        chosen.append(eligible[best])
    return chosen


def nearest_label(
    vectors: "npt.NDArray[np.float32]", labels: Sequence[str], known: Sequence[str]
) -> list[str]:
    """For every row the label whose mean vector is nearest: a row nearer to another label is ambiguous."""
    import numpy as np

    owner = np.asarray([known.index(label) for label in labels])
    means = np.stack([vectors[owner == at].mean(0) for at in range(len(known))])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return [known[at] for at in (vectors @ means.T).argmax(1).tolist()]
