"""Intervals for one proportion and for means of several: never a rate without its uncertainty.

wilson(305, 440)               # Interval(value=0.693, lower=0.648, upper=0.734, …)
clopper_pearson(0, 60).upper   # exact: 0.0596
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from infra.statistics.beta import beta_quantile


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


def normal_cdf(z: float) -> float:
    """Probability of a standard normal value below `z`; infinities are 0 and 1, small tails stay exact."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def two_sided_z(confidence: float) -> float:
    """Half-width of a two-sided interval in standard errors: 1.96 for 0.95; raises ValueError."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: got {confidence}, expected a share between 0 and 1")
    return normal_quantile((1 + confidence) / 2)


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Score interval of a proportion (Wilson, JASA 1927); raises ValueError for impossible counts."""
    check_counts(successes, n)
    return wilson_of_share(successes / n, n, confidence)


def wilson_of_share(share: float, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's interval around a share that need not be a whole count of `n`; raises ValueError."""
    if n < 1 or not 0 <= share <= 1:
        raise ValueError(f"share: got {share} of {n}, expected a share between 0 and 1 and n >= 1")
    z = two_sided_z(confidence)
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # The bounds at 0 and n successes are exactly 0 and 1; rounding must not move them past the value.
    lower = 0.0 if share == 0 else min(max(centre - half, 0.0), share)
    upper = 1.0 if share == 1 else max(min(centre + half, 1.0), share)
    return Interval(share, lower, upper, confidence, n, "Wilson score interval")


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The exact interval (Clopper & Pearson, Biometrika 1934): covers at least `confidence`, always.

    Raises ValueError for impossible counts.
    """
    check_counts(successes, n)
    two_sided_z(confidence)
    tail = (1 - confidence) / 2
    share = successes / n
    lower = 0.0 if successes == 0 else beta_quantile(tail, successes, n - successes + 1)
    upper = 1.0 if successes == n else beta_quantile(1 - tail, successes + 1, n - successes)
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


def check_counts(successes: int, n: int) -> None:
    """Raises ValueError unless `successes` of `n` is possible."""
    if n < 1 or not 0 <= successes <= n:
        raise ValueError(f"counts: got {successes} of {n}, expected 0 <= successes <= n and n >= 1")
