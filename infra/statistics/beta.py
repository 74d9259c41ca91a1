"""The beta distribution in pure Python: what exact binomial bounds and tests are made of.

beta_cdf(0.02, 1, 189)              # P(X <= 0.02)
beta_quantile(0.975, 1, 60)         # 0.0596: upper exact bound of 0 in 60
"""

import math

_HALVINGS = 200  # bisection ends earlier, when the midpoint no longer moves


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with `beta_cdf(x, a, b) == probability`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if beta_cdf(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function by its continued fraction (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only on this side of the mean
        return 1.0 - beta_cdf(1 - x, b, a)
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
