"""Floods: many nearly identical rows with one label, which outvote everything else about it.

for flood in find_floods(vectors, labels, near, settings):     # int arrays of rows, largest first
    len(flood)
"""

import numpy as np

from infra.config.screening import ScreeningSettings
from tasks.finetune.screening.neighbours import Indices, Vectors


def find_floods(
    vectors: Vectors, labels: Indices, near: Indices, settings: ScreeningSettings
) -> list[Indices]:
    """Groups of rows linked by near identity and one label, of `flood_rows` or more; largest first.

    Links are looked for among the neighbours in `near` [n, k]: a group larger than k is still linked.
    """
    similarity = np.einsum("nd,nkd->nk", vectors, vectors[near], optimize=True)
    linked = (similarity >= settings.flood_similarity) & (labels[near] == labels[:, None])
    first, second = np.nonzero(linked)
    roots = _roots(len(labels), first.tolist(), near[first, second].tolist())
    names, sizes = np.unique(roots, return_counts=True)
    groups = [np.flatnonzero(roots == name) for name in names[sizes >= settings.flood_rows]]
    return sorted(groups, key=lambda rows: (-len(rows), int(rows[0])))


def _roots(count: int, first: list[int], second: list[int]) -> Indices:
    """Union-find: the smallest row of each row's group."""
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in zip(first, second, strict=True):
        a, b = root(one), root(other)
        if a != b:
            parent[max(a, b)] = min(a, b)
    return np.array([root(row) for row in range(count)], dtype=np.int64)
