"""Interval of a rate: a total over a total, such as requests over seconds.

ratio_bootstrap([8, 8, 8], [0.31, 0.29, 0.33])      # requests per second
"""

from collections.abc import Sequence

import numpy as np

from infra.statistics.intervals import Interval, two_sided_z

RESAMPLES = 10_000


def ratio_bootstrap(
    above: Sequence[float],
    below: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile bootstrap interval of sum(above) / sum(below), pairs drawn together, seeded.

    Efron & Tibshirani 1993, ch. 13; n is the number of pairs. Raises ValueError for fewer than two pairs,
    different lengths, NaN, infinities, and a `below` that is not positive.
    """
    two_sided_z(confidence)
    pairs = np.asarray(list(zip(above, below, strict=True)), dtype=np.float64)
    if len(pairs) < 2 or not np.isfinite(pairs).all() or (pairs[:, 1] <= 0).any():
        raise ValueError("expected at least two pairs of finite numbers, the second of each positive")
    if resamples < 100:
        raise ValueError(f"resamples: got {resamples}, expected at least 100")
    point = float(pairs[:, 0].sum() / pairs[:, 1].sum())
    drawn = np.random.default_rng(seed).integers(0, len(pairs), size=(resamples, len(pairs)))
    sums = pairs[drawn].sum(axis=1)
    tail = (1 - confidence) / 2
    low, high = np.quantile(sums[:, 0] / sums[:, 1], (tail, 1 - tail))
    method = f"percentile bootstrap of a ratio ({resamples} resamples, seed {seed})"
    return Interval(point, min(float(low), point), max(float(high), point), confidence, len(pairs), method)
