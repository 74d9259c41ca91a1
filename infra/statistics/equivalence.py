"""Equivalence by two one-sided tests: shown to lie within a band, which "no difference found" is not.

equivalent_pair(discordance(a, b), margin=0.05).verdict      # "equivalent", "different" or "undecided"
equivalent_share(52, 100, target=0.5, margin=0.1).p_value
"""

import math
from dataclasses import dataclass
from typing import Literal

from infra.statistics.intervals import Interval, normal_cdf, wilson
from infra.statistics.paired import Discordance, tango, tango_score


@dataclass(frozen=True)
class Equivalence:
    """The interval of level 1 - 2 alpha against the open band from `low` to `high` (Schuirmann 1987)."""

    interval: Interval
    low: float
    high: float
    p_value: float | None
    """The larger of the two one-sided p values; None where only an interval was given."""

    @property
    def verdict(self) -> Literal["equivalent", "different", "undecided"]:
        """`different` means shown to be outside of the band, not merely different from its middle."""
        if self.low < self.interval.lower and self.interval.upper < self.high:
            return "equivalent"
        outside = self.interval.lower > self.high or self.interval.upper < self.low
        return "different" if outside else "undecided"


def level(alpha: float) -> float:
    """Confidence of the interval that two tests at level `alpha` correspond to; raises ValueError."""
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha: got {alpha}, expected a share below 0.5")
    return 1 - 2 * alpha


def within_band(interval: Interval, margin: float, *, centre: float = 0.0) -> Equivalence:
    """An interval of any method, made at `level(alpha)`, against `centre` ± `margin`; raises ValueError."""
    _check_margin(margin)
    return Equivalence(interval, centre - margin, centre + margin, None)


def equivalent_pair(table: Discordance, *, margin: float, alpha: float = 0.05) -> Equivalence:
    """Whether two models' shares of right answers on the same items differ by less than `margin`.

    Score tests (Tango, Stat. Med. 1998), honest without discordant pairs too. Raises ValueError.
    """
    _check_margin(margin)
    interval = tango(table, level(alpha))
    if margin >= 1:
        raise ValueError(f"margin: got {margin}, expected a share below 1")
    below = normal_cdf(-tango_score(table, -margin))
    above = normal_cdf(tango_score(table, margin))
    return Equivalence(interval, -margin, margin, max(below, above))


def equivalent_share(
    successes: int, n: int, *, target: float, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Whether a proportion lies within `target` ± `margin`: Wilson's interval, score tests at both ends."""
    _check_margin(margin)
    interval = wilson(successes, n, level(alpha))
    low, high = target - margin, target + margin
    below = normal_cdf(-_score(interval, low)) if low >= 0 else 0.0  # no share is below 0: nothing to refute
    above = normal_cdf(_score(interval, high)) if high <= 1 else 0.0
    return Equivalence(interval, low, high, max(below, above))


def _score(interval: Interval, share: float) -> float:
    distance, variance = interval.value - share, share * (1 - share) / interval.n
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _check_margin(margin: float) -> None:
    if not (math.isfinite(margin) and margin > 0):
        raise ValueError(f"margin: got {margin}, expected more than 0")
