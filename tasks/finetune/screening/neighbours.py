"""Nearest neighbours by cosine, in blocks of rows so that memory stays small.

near = nearest(vectors, 64)            # int [n, 64], nearest first, never the row itself
agreement(near[:, :10], labels)        # float [n]: share of neighbours with the row's own label
"""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]

_BLOCK = 1024


def nearest(vectors: Vectors, count: int) -> Indices:
    """Indices [n, min(count, n - 1)] of the most similar other rows; `vectors` [n, d] are of length 1."""
    n = len(vectors)
    count = min(count, n - 1)
    found = np.empty((n, count), dtype=np.int64)
    for start in range(0, n, _BLOCK):
        block = vectors[start : start + _BLOCK] @ vectors.T
        rows = np.arange(len(block))
        block[rows, start + rows] = -np.inf
        found[start : start + _BLOCK] = most_similar(block, count)
    return found


def most_similar(similarity: NDArray[np.float32], count: int) -> Indices:
    """Column indices [m, count] of the largest values of each row, largest first."""
    if count < similarity.shape[1]:
        part = np.argpartition(-similarity, count, axis=1)[:, :count]
    else:
        part = np.broadcast_to(np.arange(similarity.shape[1]), similarity.shape)
    part = np.sort(part, axis=1)  # equal similarities then keep the order of the rows
    order = np.argsort(-np.take_along_axis(similarity, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, order, axis=1).astype(np.int64)


def agreement(near: Indices, labels: Indices) -> Floats:
    """Share of each row's neighbours that carry its own label."""
    return np.asarray((labels[near] == labels[:, None]).mean(axis=1), dtype=np.float64)
