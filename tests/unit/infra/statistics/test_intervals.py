"""Intervals of a proportion against published values and scipy, and what must hold for all counts."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from infra.statistics.intervals import Interval, clopper_pearson, mean_of_proportions, two_sided_z, wilson

# Newcombe, Statistics in Medicine 17 (1998) 857-872, table I: methods 3 (score) and 5 (exact).
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]
COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
Method = Callable[..., Interval]
METHODS = pytest.mark.parametrize("interval", [wilson, clopper_pearson])


@METHODS
@pytest.mark.parametrize(("successes", "n"), [(0, 0), (-1, 5), (6, 5), (0, -1)])
def test_impossible_counts_are_refused(interval: Method, successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="counts"):
        interval(successes, n)


@METHODS
@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 95.0, math.nan])
def test_impossible_confidence_is_refused(interval: Method, confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        interval(1, 2, confidence)


@pytest.mark.parametrize(("successes", "n", "score", "exact"), NEWCOMBE)
def test_published_values(
    successes: int, n: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    for got, published in ((wilson(successes, n), score), (clopper_pearson(successes, n), exact)):
        assert (got.lower, got.upper) == pytest.approx(published, abs=5.1e-5)
        assert got.value == successes / n


@given(COUNTS, st.sampled_from([0.8, 0.95, 0.999]))
def test_agrees_with_scipy(counts: tuple[int, int], confidence: float) -> None:
    successes, n = counts
    test = binomtest(successes, n)
    for got, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        ours, theirs = got(successes, n, confidence), test.proportion_ci(confidence, method=method)
        assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@METHODS
@given(counts=COUNTS)
def test_what_holds_for_all_counts(interval: Method, counts: tuple[int, int]) -> None:
    successes, n = counts
    got, wider = interval(successes, n, 0.9), interval(successes, n, 0.99)
    assert 0 <= wider.lower <= got.lower <= got.value <= got.upper <= wider.upper <= 1
    mirrored = interval(n - successes, n, 0.9)
    assert (1 - mirrored.upper, 1 - mirrored.lower) == pytest.approx((got.lower, got.upper), abs=1e-9)
    if successes < n:
        more = interval(successes + 1, n, 0.9)
        assert more.lower >= got.lower
        assert more.upper >= got.upper
    longer = interval(10 * successes, 10 * n, 0.9)
    assert longer.upper - longer.lower < got.upper - got.lower


@given(COUNTS)
def test_exact_interval_holds_the_tail_probabilities(counts: tuple[int, int]) -> None:
    successes, n = counts
    got = clopper_pearson(successes, n)
    if successes:
        assert binomtest(successes, n, got.lower, "greater").pvalue == pytest.approx(0.025, rel=1e-6)
    if successes < n:
        assert binomtest(successes, n, got.upper, "less").pvalue == pytest.approx(0.025, rel=1e-6)


def test_clean_trials_needed_for_a_two_percent_limit() -> None:
    # Zero hits of n have the Wilson upper bound z²/(n + z²).
    z = two_sided_z(0.95)
    for n in (20, 60, 100, 300):
        assert wilson(0, n).upper == pytest.approx(z * z / (n + z * z))
    assert wilson(0, 188).upper > 0.02 > wilson(0, 189).upper


def test_macro_mean_of_one_group_is_its_wilson_interval() -> None:
    one, macro = wilson(30, 40), mean_of_proportions([(30, 40)])
    assert (macro.value, macro.lower, macro.upper) == pytest.approx((one.value, one.lower, one.upper))


def test_macro_mean_gives_labels_equal_weight_and_is_not_certain_when_perfect() -> None:
    assert mean_of_proportions([(10, 10), (0, 1000)]).value == 0.5
    perfect = mean_of_proportions([(5, 5), (5, 5)])
    assert perfect.value == perfect.upper == 1
    assert 0.5 < perfect.lower < 0.8
    with pytest.raises(ValueError, match="no group"):
        mean_of_proportions([])


@given(st.lists(COUNTS, min_size=1, max_size=6))
def test_macro_interval_contains_its_value(counts: list[tuple[int, int]]) -> None:
    got = mean_of_proportions(counts)
    assert 0 <= got.lower <= got.value <= got.upper <= 1
    assert got.n == sum(n for _, n in counts)
