"""One-sided p values against a limit: exact for counts, from the interval for everything else.

binomial_p(9, 60, 0.05, "above")                  # P(9 or more of 60 | rate 0.05)
interval_p(0.08, 0.03, 0.05, confidence=0.95)     # value, bound towards the limit, limit
"""

import math
from typing import Literal

from infra.statistics.beta import beta_cdf
from infra.statistics.intervals import check_counts, normal_cdf, two_sided_z

Side = Literal["above", "below"]


def binomial_p(successes: int, n: int, rate: float, side: Side) -> float:
    """P(at least, or at most, this many successes) when the rate is the limit's; raises ValueError.

    The exact binomial test through the beta distribution (DLMF 8.17.5); small p mean "shown to be above"
    (or below). Dual to Clopper-Pearson: p <= alpha/2 when that interval of level 1 - alpha lies beyond.
    """
    check_counts(successes, n)
    if not 0 <= rate <= 1:
        raise ValueError(f"rate: got {rate}, expected a share between 0 and 1")
    if side == "above":
        return 1.0 if successes == 0 else beta_cdf(rate, successes, n - successes + 1)
    return 1.0 if successes == n else beta_cdf(1 - rate, n - successes, successes + 1)


def interval_p(value: float, bound: float, limit: float, *, confidence: float) -> float:
    """One-sided p that the truth is at `limit`, from a two-sided interval of any method; raises ValueError.

    `bound` is the end of the interval on the limit's side. Its distance from the value is taken as that of
    a normal distribution (Altman & Bland, BMJ 343 (2011) d2304): exact where `bound` meets `limit`, an
    approximation elsewhere. 0.5 or more when the value is not beyond the limit, on the bound's other side.
    """
    z = two_sided_z(confidence)
    if not (math.isfinite(value) and math.isfinite(bound) and math.isfinite(limit)):
        raise ValueError(f"got value {value}, bound {bound}, limit {limit}, expected finite numbers")
    towards = math.copysign(1.0, bound - value) if bound != value else math.copysign(1.0, limit - value)
    distance, width = towards * (limit - value), abs(bound - value)
    if width == 0:
        return 0.0 if distance > 0 else 0.5
    return normal_cdf(-z * distance / width)
