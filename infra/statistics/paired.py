"""Two models on the same items: McNemar's test, intervals of the difference, and the items needed.

table = discordance(candidate_correct, base_correct)    # Discordance(gained=311, lost=3, n=440)
mcnemar_exact(table)                                     # two-sided p
paired_difference(table)                                 # what gates use: the wider of two methods
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.statistics.bootstrap import bca_levels
from infra.statistics.intervals import Interval, normal_quantile, two_sided_z

RESAMPLES = 10_000
_FEW_VALUES = 32
_CHUNK_CELLS = 4_000_000


@dataclass(frozen=True)
class Discordance:
    """Of `n` items, how many only the first model has right (`gained`) and only the second (`lost`)."""

    gained: int
    lost: int
    n: int

    def __post_init__(self) -> None:
        if self.n < 1 or min(self.gained, self.lost) < 0 or self.gained + self.lost > self.n:
            raise ValueError(f"got {self.gained}:{self.lost} discordant of {self.n} items")

    @property
    def difference(self) -> float:
        """Difference of the two shares of right answers."""
        return (self.gained - self.lost) / self.n


def discordance(first: Sequence[bool], second: Sequence[bool]) -> Discordance:
    """Count the discordant pairs; raises ValueError for different lengths or no items."""
    pairs = list(zip(first, second, strict=True))
    return Discordance(sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs), len(pairs))


def mcnemar_exact(table: Discordance) -> float:
    """Two-sided p of the exact McNemar test: the discordant pairs are a fair coin (McNemar 1947)."""
    flips, rarer = table.gained + table.lost, min(table.gained, table.lost)
    term: int = 1
    tail: int = 1
    for k in range(1, rarer + 1):
        term = term * (flips - k + 1) // k
        tail += term
    return min(1.0, 2 * tail / (1 << flips))  # exact integers up to the one division


def tango(table: Discordance, confidence: float = 0.95) -> Interval:
    """Score interval of a paired difference (Tango, Stat. Med. 1998); honest without discordant pairs too."""
    z, point = two_sided_z(confidence), table.difference
    lower = _crossing(table, point, -1.0, z)
    upper = _crossing(table, point, 1.0, -z)
    return Interval(point, min(lower, point), max(upper, point), confidence, table.n, "Tango score interval")


def _crossing(table: Discordance, point: float, end: float, z: float) -> float:
    """Where the score statistic, falling in the difference, takes the value `z` between point and end."""
    inside, outside = point, end
    while True:
        middle = (inside + outside) / 2
        if middle in (inside, outside):
            return middle
        if abs(tango_score(table, middle)) < abs(z):
            inside = middle
        else:
            outside = middle


def tango_score(table: Discordance, delta: float) -> float:
    """Tango's score statistic for a true difference of `delta`: standard normal if that is so."""
    n, gained, lost = table.n, table.gained, table.lost
    a = 2 * n
    b = -gained - lost + (2 * n - gained + lost) * delta
    c = -lost * delta * (1 - delta)
    q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * q + delta * (1 - delta))
    distance = gained - lost - n * delta
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def paired_bootstrap(
    differences: Sequence[float] | npt.NDArray[np.float64],
    *,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """BCa bootstrap interval (Efron, JASA 1987) of the mean of paired differences, seeded.

    Few distinct values (right-wrong gives -1, 0, 1) are resampled as multinomial counts: the same
    distribution as drawing items, at a cost that does not grow with n. Raises ValueError for no
    items, NaN or infinities.
    """
    data = np.asarray(differences, dtype=np.float64)
    if data.ndim != 1 or not data.size or not np.isfinite(data).all():
        raise ValueError("differences: expected a non-empty list of finite numbers")
    two_sided_z(confidence)
    if resamples < 100:
        raise ValueError(f"resamples: got {resamples}, expected at least 100")
    point = float(data.mean())
    means = _resampled_means(data, resamples, np.random.default_rng(seed))
    # The influence of an item on a mean is its distance from it.
    low, high = np.quantile(means, bca_levels(point, means, data - point, confidence))
    method = f"paired BCa bootstrap ({resamples} resamples, seed {seed})"
    return Interval(point, min(float(low), point), max(float(high), point), confidence, data.size, method)


def _resampled_means(
    data: npt.NDArray[np.float64], resamples: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    values, counts = np.unique(data, return_counts=True)
    if len(values) <= _FEW_VALUES:
        draws = rng.multinomial(data.size, counts / data.size, size=resamples)
        return np.asarray(draws @ values / data.size, dtype=np.float64)
    rows = max(1, _CHUNK_CELLS // data.size)
    parts = [
        data[rng.integers(0, data.size, size=(min(rows, resamples - start), data.size))].mean(axis=1)
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(parts)


def paired_difference(
    table: Discordance, *, confidence: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Difference of two models' accuracy: the bootstrap interval widened to the score interval.

    Alone, the bootstrap collapses to a point when no pair (or every pair) is discordant, and a model
    measured on five items would be "proven" equal.
    """
    signs = np.repeat([1.0, -1.0, 0.0], [table.gained, table.lost, table.n - table.gained - table.lost])
    drawn = paired_bootstrap(signs, confidence=confidence, resamples=resamples, seed=seed)
    score = tango(table, confidence)
    return Interval(
        table.difference,
        min(drawn.lower, score.lower),
        max(drawn.upper, score.upper),
        confidence,
        table.n,
        f"{drawn.method} widened to the Tango score interval",
    )


def paired_sample_size(
    discordant_share: float,
    *,
    difference: float = 0.0,
    margin: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
) -> int:
    """Items for a one-sided paired test at level `alpha` that the difference exceeds `-margin`.

    `margin` > 0 with `difference` 0: non-inferiority of an equal model; `margin` 0: superiority
    (Connor, Biometrics 1987). Shares, not percent. Raises ValueError for impossible shares.
    """
    if not 0 < discordant_share <= 1 or abs(difference) > discordant_share:
        raise ValueError("expected 0 < discordant_share <= 1 and |difference| <= discordant_share")
    if difference + margin <= 0:
        raise ValueError("difference + margin must be positive: no sample size shows what is not so")
    if not (0 < alpha < 1 and 0 < power < 1):
        raise ValueError("expected alpha and power between 0 and 1")
    under_null = normal_quantile(1 - alpha) * math.sqrt(discordant_share)
    under_truth = normal_quantile(power) * math.sqrt(discordant_share - difference**2)
    return math.ceil(((under_null + under_truth) / (difference + margin)) ** 2)
