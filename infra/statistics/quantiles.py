"""Quantiles of a measured quantity such as latency, with an interval that assumes no distribution.

quantile_interval([12.1, 11.8, …], 0.95)      # of at least 72 measurements
"""

import math
from collections.abc import Sequence

from infra.statistics.intervals import Interval, two_sided_z


def quantile_interval(values: Sequence[float], probability: float, confidence: float = 0.95) -> Interval:
    """A quantile (type 1: the smallest value that enough others do not exceed) between order statistics.

    How many of n independent values lie below the true quantile is binomial, so that two order statistics
    enclose it with at least this confidence (David & Nagaraja, Order Statistics, 3rd ed., §7.1). Raises
    ValueError for too few values to enclose it, no or infinite numbers.
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability: got {probability}, expected a share between 0 and 1")
    two_sided_z(confidence)
    if not all(map(math.isfinite, values)):
        raise ValueError("values: expected finite numbers")
    n, tail = len(values), (1 - confidence) / 2
    if n < (needed := least_values(probability, confidence)):
        raise ValueError(f"got {n} values, the interval of this quantile needs {needed}")
    below = _cumulated(n, probability)
    # P(the k-th value > quantile) = P(B < k) and P(the k-th value < quantile) = P(B >= k).
    lower = max(at for at in range(n) if below[at] <= tail)
    upper = min(at for at in range(n) if 1 - below[at] <= tail)
    ordered = sorted(values)
    return Interval(
        ordered[math.ceil(n * probability) - 1],
        ordered[lower],
        ordered[upper],
        confidence,
        n,
        f"order statistics {lower + 1} and {upper + 1} of {n}",
    )


def least_values(probability: float, confidence: float = 0.95) -> int:
    """Values below which no order statistics enclose the quantile at this confidence on both sides."""
    tail = (1 - confidence) / 2
    return math.ceil(math.log(tail) / math.log(max(probability, 1 - probability)))


def _cumulated(n: int, probability: float) -> list[float]:
    """P(B <= k) for k = 0 … n of a binomial."""
    total, sums = 0.0, []
    for k in range(n + 1):
        total += math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(probability)
            + (n - k) * math.log1p(-probability)
        )
        sums.append(min(total, 1.0))
    return sums
