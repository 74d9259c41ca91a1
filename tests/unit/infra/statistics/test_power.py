"""Sample sizes: the promised number is enough, one less is not, and what cannot be shown is refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.statistics.intervals import clopper_pearson, wilson, wilson_of_share
from infra.statistics.paired import Discordance, tango
from infra.statistics.power import (
    clean_trials,
    equivalence_sample_size,
    exact_sample_size,
    proportion_sample_size,
    scaled_sample_size,
)

SHARES = st.floats(0.01, 0.99)


@pytest.mark.parametrize(
    ("limit", "trials"),
    [(0.02, 189), (0.05, 73), (0.10, 35), (0.01, 381)],
)
def test_clean_trials(limit: float, trials: int) -> None:
    # z² (1 - L) / L with z = 1.95996, by hand
    assert clean_trials(limit) == trials
    assert wilson(0, trials).upper < limit <= wilson(0, trials - 1).upper


def test_twenty_clean_trials_do_not_show_two_percent() -> None:
    assert wilson(0, 20).upper > 0.02
    assert clean_trials(0.02) - 20 == 169


@pytest.mark.parametrize("limit", [0.0, 1.0, -0.1, math.nan])
def test_no_number_of_clean_trials_shows_nothing(limit: float) -> None:
    with pytest.raises(ValueError):
        clean_trials(limit)


@pytest.mark.parametrize(
    "arguments",
    [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1), (math.nan, 0.5), (0.5, math.nan)],
)
def test_impossible_plans_are_refused(arguments: tuple[float, float]) -> None:
    with pytest.raises(ValueError):
        proportion_sample_size(*arguments)


@pytest.mark.parametrize("power", [0.0, 0.49, 1.0, math.nan])
def test_impossible_power_is_refused(power: float) -> None:
    with pytest.raises(ValueError, match="power"):
        proportion_sample_size(0.1, 0.2, power=power)
    if power != 0.49:
        with pytest.raises(ValueError, match="power"):
            equivalence_sample_size(0.1, 0.05, power=power)


@given(SHARES, SHARES, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_bound_clears_at_that_number_and_not_before(rate: float, limit: float, confidence: float) -> None:
    if abs(rate - limit) < 0.005:
        return
    n = proportion_sample_size(rate, limit, confidence=confidence)
    at, before = wilson_of_share(rate, n, confidence), wilson_of_share(rate, max(1, n - 1), confidence)
    if rate < limit:
        assert at.upper < limit
        assert before.upper >= limit or n == 1
    else:
        assert at.lower > limit
        assert before.lower <= limit or n == 1


def test_power_is_kept() -> None:
    n = proportion_sample_size(0.05, 0.10, power=0.8)
    rng = np.random.default_rng(0)
    cleared = [wilson(int(hits), n).upper < 0.10 for hits in rng.binomial(n, 0.05, size=2000)]
    assert 0.76 <= np.mean(cleared) <= 0.85
    assert n > proportion_sample_size(0.05, 0.10)


def test_exact_bound_of_clean_trials_is_the_logarithm() -> None:
    # 0 of n: the exact upper bound is 1 - 0.025^(1/n) (rule of 3.7)
    assert exact_sample_size(0.0, 0.02) == math.ceil(math.log(0.025) / math.log(0.98)) == 183


@pytest.mark.parametrize(("rate", "limit"), [(0.0, 0.02), (0.05, 0.10), (0.9, 0.8), (1.0, 0.9)])
def test_exact_number_is_enough(rate: float, limit: float) -> None:
    n = exact_sample_size(rate, limit)
    if rate < limit:
        assert clopper_pearson(math.ceil(rate * n - 1e-9), n).upper < limit
    else:
        assert clopper_pearson(math.floor(rate * n + 1e-9), n).lower > limit


def test_rates_too_close_for_the_exact_bound_are_refused() -> None:
    with pytest.raises(ValueError, match="too close"):
        exact_sample_size(0.5, 0.5001)


@given(st.integers(1, 10_000), st.floats(0.001, 1), st.floats(0.001, 1))
def test_scaling_is_the_square(n: int, half: float, distance: float) -> None:
    items = scaled_sample_size(n, half, distance)
    assert half * math.sqrt(n / items) <= distance * (1 + 1e-9)
    assert items == 1 or half * math.sqrt(n / (items - 1)) >= distance * (1 - 1e-9)


@pytest.mark.parametrize("arguments", [(0, 0.1, 0.1), (9, -0.1, 0.1), (9, 0.1, 0.0), (9, math.inf, 0.1)])
def test_impossible_widths_are_refused(arguments: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError):
        scaled_sample_size(*arguments)


def test_equivalence_needs_more_than_non_inferiority() -> None:
    # (1.6449 + 1.2816)² · 0.1 / 0.05² by hand
    n = equivalence_sample_size(0.1, 0.05)
    assert n == 343
    rng = np.random.default_rng(0)
    shown = 0
    for a, b, _ in rng.multinomial(n, [0.05, 0.05, 0.9], size=1000):
        got = tango(Discordance(int(a), int(b), n), 0.9)
        shown += abs(got.lower) < 0.05 and abs(got.upper) < 0.05
    assert 0.70 <= shown / 1000 <= 0.88  # planned with normal errors; counts are coarser, a little is lost
