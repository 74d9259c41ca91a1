"""Bias-corrected and accelerated quantile levels: what the bootstraps here have in common.

low, high = np.quantile(resampled, bca_levels(point, resampled, influence, 0.95))
"""

import numpy as np
import numpy.typing as npt

from infra.statistics.intervals import normal_cdf, normal_quantile


def bca_levels(
    point: float,
    resampled: npt.NDArray[np.float64],
    influence: npt.NDArray[np.float64],
    confidence: float,
) -> tuple[float, float]:
    """The two levels of the BCa interval (Efron, JASA 1987); plain percentiles when degenerate.

    `influence` (one per item, mean 0, any scale): how much an item moves the statistic; its skewness is
    the acceleration, which for a mean is the jackknife's in closed form.
    """
    tail = (1 - confidence) / 2
    # Equal resampled values count half: with -1/0/1 many ties are exact.
    below = float(np.mean(resampled < point) + np.mean(resampled == point) / 2)
    spread = float((influence**2).sum())
    if spread == 0 or not 0 < below < 1:
        return tail, 1 - tail
    bias = normal_quantile(below)
    acceleration = float((influence**3).sum()) / (6 * spread**1.5)
    levels = []
    for z in (normal_quantile(tail), normal_quantile(1 - tail)):
        shifted = bias + (bias + z) / (1 - acceleration * (bias + z))
        levels.append(normal_cdf(shifted))
    return levels[0], levels[1]
