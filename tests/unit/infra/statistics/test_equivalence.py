"""Equivalence: absence of a difference is not shown by a small sample; both ways of asking agree."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.statistics.equivalence import (
    equivalent_pair,
    equivalent_share,
    level,
    within_band,
)
from infra.statistics.intervals import Interval, wilson
from infra.statistics.paired import Discordance, tango

TABLES = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 400)).map(
    lambda t: Discordance(t[0], t[1], t[0] + t[1] + t[2])
)


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan, math.inf])
def test_a_band_without_width_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        equivalent_pair(Discordance(1, 1, 10), margin=margin)
    with pytest.raises(ValueError, match="margin"):
        equivalent_share(5, 10, target=0.5, margin=margin)
    with pytest.raises(ValueError, match="margin"):
        within_band(wilson(5, 10), margin)


def test_impossible_levels_are_refused() -> None:
    for alpha in (0.0, 0.5, -1.0, math.nan):
        with pytest.raises(ValueError, match="alpha"):
            level(alpha)
    assert level(0.05) == pytest.approx(0.9)
    with pytest.raises(ValueError, match="below 1"):
        equivalent_pair(Discordance(1, 1, 10), margin=1.0)


@pytest.mark.parametrize("n", [5, 20, 50])
def test_five_identical_answers_do_not_show_equivalence(n: int) -> None:
    got = equivalent_pair(Discordance(0, 0, n), margin=0.05)
    assert got.verdict == "undecided"
    assert got.p_value is not None
    assert got.p_value > 0.05


def test_enough_identical_answers_do() -> None:
    # Without discordant pairs the score bound is z²/(n + z²) = 0.05 at n = 51.4 for z = 1.645.
    assert equivalent_pair(Discordance(0, 0, 52), margin=0.05).verdict == "equivalent"
    assert equivalent_pair(Discordance(0, 0, 51), margin=0.05).verdict == "undecided"


def test_a_shown_difference_is_told_from_an_undecided_one() -> None:
    assert equivalent_pair(Discordance(60, 2, 200), margin=0.05).verdict == "different"
    assert equivalent_pair(Discordance(12, 2, 200), margin=0.05).verdict == "undecided"
    assert equivalent_share(52, 100, target=0.5, margin=0.1).verdict == "undecided"
    assert equivalent_share(520, 1000, target=0.5, margin=0.1).verdict == "equivalent"
    assert equivalent_share(90, 100, target=0.5, margin=0.1).verdict == "different"


def test_p_of_a_share_is_that_of_the_score_test() -> None:
    # By hand: z = (0.52 - 0.6) / sqrt(0.6 * 0.4 / 100) = -1.633; the test at 0.4 is far smaller.
    got = equivalent_share(52, 100, target=0.5, margin=0.1)
    assert got.p_value == pytest.approx(0.0512, abs=1e-4)


def test_a_bound_that_no_share_can_pass_needs_no_test() -> None:
    got = equivalent_share(0, 200, target=0.0, margin=0.05)
    assert (got.low, got.verdict) == (-0.05, "equivalent")
    assert equivalent_share(0, 20, target=0.0, margin=0.05).verdict == "undecided"
    assert equivalent_share(200, 200, target=1.0, margin=0.05).verdict == "equivalent"
    edge = equivalent_share(0, 500, target=0.05, margin=0.05)
    assert (edge.verdict, edge.p_value) == ("undecided", 0.5)  # the band starts at 0, and 0 is what was seen


@given(TABLES, st.floats(0.01, 0.5))
def test_interval_and_p_agree_on_pairs(table: Discordance, margin: float) -> None:
    got = equivalent_pair(table, margin=margin)
    assert got.interval == tango(table, level(0.05))
    assert got.p_value is not None
    if abs(got.p_value - 0.05) > 1e-6:
        assert (got.verdict == "equivalent") == (got.p_value < 0.05)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.1, 0.9))
def test_interval_and_p_agree_on_shares(counts: tuple[int, int], target: float) -> None:
    got = equivalent_share(*counts, target=target, margin=0.07)
    assert got.p_value is not None
    if abs(got.p_value - 0.05) > 1e-6:
        assert (got.verdict == "equivalent") == (got.p_value < 0.05)


def test_any_interval_can_be_held_against_a_band() -> None:
    inside = Interval(0.5, 0.45, 0.55, 0.9, 100, "any")
    assert within_band(inside, 0.1, centre=0.5).verdict == "equivalent"
    assert within_band(inside, 0.05, centre=0.5).verdict == "undecided"  # the band is open
    assert within_band(inside, 0.1).verdict == "different"


def test_error_rate_at_the_edge_of_the_band() -> None:
    # The truth lies on the margin: at most 5 % may be called equivalent.
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(600, [0.10, 0.05, 0.85], size=2000)
    wrong = sum(
        equivalent_pair(Discordance(int(a), int(b), 600), margin=0.05).verdict == "equivalent"
        for a, b, _ in drawn
    )
    assert 0.03 * 2000 <= wrong <= 0.065 * 2000
