"""How many items a question needs, so that nobody waits for an answer that the sample cannot give.

clean_trials(0.02)                          # 189: trials without a hit that show a rate below 2 %
proportion_sample_size(0.05, 0.10)          # at a true 5 %, for a bound below 10 %
scaled_sample_size(440, 0.05, 0.02)         # any interval: 440 items gave ±0.05, 0.02 is the distance

Paired comparisons: `paired_sample_size` in infra/statistics/paired.py.
"""

import math

from infra.statistics.intervals import clopper_pearson, normal_quantile, two_sided_z
from infra.statistics.paired import paired_sample_size

_MOST = 10_000_000


def proportion_sample_size(rate: float, limit: float, *, confidence: float = 0.95, power: float = 0.5) -> int:
    """Items for which a Wilson bound of `confidence` clears `limit` at a true (or observed) `rate`.

    Wilson's interval is the inverted score test, so that the bound is at the limit for
    n = (z √(L(1-L)) + z_power √(p(1-p)))² / (L-p)² (Fleiss, Levin & Paik 2003, ch. 2); the next whole
    number is past it. Power 0.5: the bound clears when exactly `rate` is seen. Either side of the limit.
    Raises ValueError when rate and limit are equal: no sample tells them apart.
    """
    z = two_sided_z(confidence)
    if not (0 <= rate <= 1 and 0 <= limit <= 1):
        raise ValueError(f"got rate {rate} and limit {limit}, expected shares between 0 and 1")
    if rate == limit:
        raise ValueError(f"rate and limit are both {rate}: no sample size tells them apart")
    if not 0.5 <= power < 1:
        raise ValueError(f"power: got {power}, expected at least 0.5 and below 1")
    spread = z * math.sqrt(limit * (1 - limit)) + normal_quantile(power) * math.sqrt(rate * (1 - rate))
    return math.floor((spread / (limit - rate)) ** 2) + 1


def clean_trials(limit: float, *, confidence: float = 0.95) -> int:
    """Trials without one hit that a Wilson upper bound below `limit` needs; raises ValueError for 0 and 1."""
    if not 0 < limit < 1:
        raise ValueError(f"limit: got {limit}, expected a share between 0 and 1")
    return proportion_sample_size(0.0, limit, confidence=confidence)


def exact_sample_size(rate: float, limit: float, *, confidence: float = 0.95) -> int:
    """The same for the Clopper-Pearson bound, hits rounded against the one who wants to pass.

    Raises ValueError as `proportion_sample_size` does, and where more than ten million would be needed.
    """
    fewest = proportion_sample_size(rate, limit, confidence=confidence)
    low, high = 0, fewest
    while not _clears(rate, limit, high, confidence):
        low, high = high, 2 * high
        if high > _MOST:
            raise ValueError(f"rate {rate} and limit {limit} are too close to tell apart")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _clears(rate, limit, middle, confidence) else (middle, high)
    return high


def _clears(rate: float, limit: float, n: int, confidence: float) -> bool:
    if n < 1:
        return False
    if rate < limit:
        return clopper_pearson(min(n, math.ceil(rate * n - 1e-9)), n, confidence).upper < limit
    return clopper_pearson(max(0, math.floor(rate * n + 1e-9)), n, confidence).lower > limit


def scaled_sample_size(n: int, half_width: float, distance: float) -> int:
    """Items that shrink a bound's distance from the value to `distance`: it falls with the root of n.

    For any method of interval, so also for times and means; raises ValueError for impossible widths.
    """
    if n < 1 or half_width < 0 or not distance > 0 or not math.isfinite(half_width / distance):
        raise ValueError(f"got n={n}, half-width {half_width}, distance {distance}")
    return math.ceil(n * (half_width / distance) ** 2)


def equivalence_sample_size(
    discordant_share: float, margin: float, *, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Pairs that show two equal models to differ by less than `margin` (Schuirmann's two tests).

    Each of the two tests may miss with half of 1 - power. Raises ValueError for impossible shares.
    """
    if not 0 < power < 1:
        raise ValueError(f"power: got {power}, expected a share between 0 and 1")
    return paired_sample_size(discordant_share, margin=margin, alpha=alpha, power=(1 + power) / 2)
