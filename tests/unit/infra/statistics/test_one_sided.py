"""One-sided p values against scipy, and their duality with the intervals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from infra.statistics.intervals import clopper_pearson, two_sided_z
from infra.statistics.one_sided import binomial_p, interval_p

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(("successes", "n", "rate"), [(0, 0, 0.5), (3, 2, 0.5), (-1, 2, 0.5)])
def test_impossible_counts_are_refused(successes: int, n: int, rate: float) -> None:
    with pytest.raises(ValueError, match="counts"):
        binomial_p(successes, n, rate, "above")


@pytest.mark.parametrize("rate", [-0.1, 1.1, math.nan])
def test_impossible_rates_are_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        binomial_p(1, 2, rate, "below")


@given(COUNTS, st.floats(0.001, 0.999))
def test_agrees_with_scipy(counts: tuple[int, int], rate: float) -> None:
    successes, n = counts
    for side, alternative in (("above", "greater"), ("below", "less")):
        theirs = binomtest(successes, n, rate, alternative).pvalue
        assert binomial_p(successes, n, rate, side) == pytest.approx(theirs, rel=1e-6, abs=1e-12)  # type: ignore[arg-type]  # from the table


def test_ends_are_exact() -> None:
    assert binomial_p(0, 20, 0.02, "above") == 1
    assert binomial_p(20, 20, 0.02, "below") == 1
    assert binomial_p(5, 5, 0.02, "above") == pytest.approx(0.02**5)
    assert binomial_p(1, 20, 0.0, "above") == 0
    assert binomial_p(0, 20, 0.02, "below") == pytest.approx(0.98**20)


@given(COUNTS, st.floats(0.01, 0.99))
def test_exact_p_is_dual_to_the_exact_interval(counts: tuple[int, int], limit: float) -> None:
    successes, n = counts
    interval, p = clopper_pearson(successes, n), binomial_p(successes, n, limit, "above")
    if abs(interval.lower - limit) > 1e-9:
        assert (p < 0.025) == (interval.lower > limit)


def test_interval_p_is_exact_where_the_bound_meets_the_limit() -> None:
    for confidence in (0.8, 0.95, 0.99):
        assert interval_p(0.3, 0.2, 0.2, confidence=confidence) == pytest.approx((1 - confidence) / 2)
        assert interval_p(-1.0, 4.0, 4.0, confidence=confidence) == pytest.approx((1 - confidence) / 2)


def test_interval_p_of_a_normal_mean_is_that_of_its_z_test() -> None:
    error, z = 2.0, two_sided_z(0.95)
    got = interval_p(110.0, 110.0 - z * error, 104.0, confidence=0.95)
    assert got == pytest.approx(0.5 * math.erfc(3 / math.sqrt(2)))


def test_a_value_on_the_good_side_is_never_shown_bad() -> None:
    assert interval_p(0.3, 0.2, 0.3, confidence=0.95) == 0.5
    assert interval_p(0.3, 0.2, 0.35, confidence=0.95) > 0.5
    assert interval_p(0.3, 0.3, 0.3, confidence=0.95) == 0.5


@pytest.mark.parametrize("numbers", [(math.nan, 0.0, 0.0), (0.0, math.inf, 0.0), (0.0, 0.0, -math.inf)])
def test_what_is_no_number_is_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        interval_p(*numbers, confidence=0.95)
