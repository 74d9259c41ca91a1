"""Repeated attempts of one prompt are not independent: prompts are resampled, and counted, as wholes.

clustered_share([True, False, True], ["a", "a", "b"]).n       # 2: two prompts, three attempts
"""

from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from infra.statistics.bootstrap import bca_levels
from infra.statistics.intervals import Interval, two_sided_z, wilson_of_share
from infra.statistics.paired import RESAMPLES

_CHUNK_CELLS = 4_000_000


def cluster_bootstrap(
    values: Sequence[float] | npt.NDArray[np.float64],
    clusters: Sequence[Hashable],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """BCa interval of the mean over all values, whole clusters drawn with replacement, seeded.

    `n` is the number of clusters (Davison & Hinkley 1997, §3.8). Raises ValueError for no values, NaN,
    infinities or another number of clusters. With one cluster, or equal ones, it collapses to a point:
    `clustered_share` does not.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or not data.size or not np.isfinite(data).all():
        raise ValueError("values: expected a non-empty list of finite numbers")
    if len(clusters) != data.size:
        raise ValueError(f"got {len(clusters)} clusters for {data.size} values")
    two_sided_z(confidence)
    if resamples < 100:
        raise ValueError(f"resamples: got {resamples}, expected at least 100")
    number = {name: position for position, name in enumerate(dict.fromkeys(clusters))}
    member = np.array([number[name] for name in clusters])
    sums = np.bincount(member, weights=data, minlength=len(number)).astype(np.float64)
    sizes = np.bincount(member, minlength=len(number)).astype(np.float64)
    point = float(sums.sum() / sizes.sum())
    means = _resampled(sums, sizes, resamples, np.random.default_rng(seed))
    low, high = np.quantile(means, bca_levels(point, means, sums - point * sizes, confidence))
    method = f"BCa bootstrap by cluster ({data.size} values, {resamples} resamples, seed {seed})"
    return Interval(point, min(float(low), point), max(float(high), point), confidence, len(number), method)


def _resampled(
    sums: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], resamples: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Means of the drawn clusters: totals over sizes, so that large clusters keep their weight."""
    count = len(sums)
    rows = max(1, _CHUNK_CELLS // count)
    parts = []
    for start in range(0, resamples, rows):
        drawn = rng.integers(0, count, size=(min(rows, resamples - start), count))
        parts.append(sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1))
    return np.concatenate(parts)


def clustered_share(
    hits: Sequence[bool],
    clusters: Sequence[Hashable],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Share of hits with attempts clustered by prompt; raises ValueError.

    The bootstrap widened to Wilson's interval at as many trials as there are prompts: the variance of a
    prompt's share is never larger than that of one trial, and no hit in any attempt is no certainty.
    """
    drawn = cluster_bootstrap(
        [float(hit) for hit in hits], clusters, confidence=confidence, resamples=resamples, seed=seed
    )
    score = wilson_of_share(drawn.value, drawn.n, confidence)
    return Interval(
        drawn.value,
        min(drawn.lower, score.lower),
        max(drawn.upper, score.upper),
        confidence,
        drawn.n,
        f"{drawn.method} widened to the Wilson interval of {drawn.n} clusters",
    )
