"""Intervals for one proportion and for means of several: never a rate without its uncertainty.

wilson(305, 440)               # Interval(value=0.693, lower=0.648, upper=0.734, …)
clopper_pearson(0, 60).upper   # exact: 0.0596
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

_HALVINGS = 200  # bisection ends earlier, when the midpoint no longer moves


@dataclass(frozen=True)
class Interval:
    """A measured value between the bounds of a two-sided interval; `lower <= value <= upper` holds."""

    value: float
    lower: float
    upper: float
    confidence: float
    n: int
    method: str


def normal_quantile(probability: float) -> float:
    """Quantile of the standard normal distribution; raises ValueError outside of (0, 1)."""
    return NormalDist().inv_cdf(probability)


def two_sided_z(confidence: float) -> float:
    """Half-width of a two-sided interval in standard errors: 1.96 for 0.95; raises ValueError."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: got {confidence}, expected a share between 0 and 1")
    return normal_quantile((1 + confidence) / 2)


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson, JASA 1927); raises ValueError for impossible counts."""
    _check_counts(successes, n)
    z = two_sided_z(confidence)
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # The bounds at 0 and n successes are exactly 0 and 1; rounding must not move them past the value.
    lower = 0.0 if successes == 0 else min(max(centre - half, 0.0), share)
    upper = 1.0 if successes == n else max(min(centre + half, 1.0), share)
    return Interval(share, lower, upper, confidence, n, "Wilson score interval")


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The exact interval (Clopper & Pearson, Biometrika 1934): covers at least `confidence`, always.

    Raises ValueError for impossible counts.
    """
    _check_counts(successes, n)
    two_sided_z(confidence)
    tail = (1 - confidence) / 2
    share = successes / n
    lower = 0.0 if successes == 0 else _beta_quantile(tail, successes, n - successes + 1)
    upper = 1.0 if successes == n else _beta_quantile(1 - tail, successes + 1, n - successes)
    return Interval(
        share, min(lower, share), max(upper, share), confidence, n, "Clopper-Pearson exact interval"
    )


def mean_of_proportions(counts: Sequence[tuple[int, int]], confidence: float = 0.95) -> Interval:
    """Unweighted mean of independent proportions `(successes, n)`, for macro accuracy.

    Variance recovery from each group's Wilson interval (MOVER; Zou & Donner, Stat. Med. 2008): unlike
    the normal approximation it stays honest when groups are small or perfect. Raises ValueError.
    """
    if not counts:
        raise ValueError("counts: got no group, expected at least one")
    parts = [wilson(successes, n, confidence) for successes, n in counts]
    mean = math.fsum(part.value for part in parts) / len(parts)
    down = math.sqrt(math.fsum((part.value - part.lower) ** 2 for part in parts)) / len(parts)
    up = math.sqrt(math.fsum((part.upper - part.value) ** 2 for part in parts)) / len(parts)
    n = sum(n for _, n in counts)
    return Interval(
        mean, max(mean - down, 0.0), min(mean + up, 1.0), confidence, n, "MOVER of Wilson intervals"
    )


def _check_counts(successes: int, n: int) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"counts: got {successes} of {n}, expected 0 <= successes <= n and n >= 1")


def _beta_quantile(probability: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function by its continued fraction (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only on this side of the mean
        return 1.0 - _beta_cdf(1 - x, b, a)
    log_front = (
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    ) - math.log(a)
    return math.exp(log_front) * _lentz(x, a, b)


def _lentz(x: float, a: float, b: float) -> float:
    """Modified Lentz evaluation of the continued fraction (Press et al., Numerical Recipes §6.4)."""
    tiny = 1e-300
    fraction, c, d = 1.0, 1.0, 0.0
    for step in range(10_000):
        m = step // 2
        if step == 0:
            term = 1.0
        elif step % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1.0 / ((1.0 + term * d) or tiny)
        c = (1.0 + term / c) or tiny
        fraction *= c * d
        if abs(1.0 - c * d) < 1e-16:
            break
    return fraction - 1.0
