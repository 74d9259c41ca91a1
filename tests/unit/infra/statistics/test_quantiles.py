"""Quantiles by order statistics: coverage by simulation, and refusal of what they cannot enclose."""

import math
import random

import pytest

from infra.statistics.quantiles import least_values, quantile_interval


def test_known_values() -> None:
    """Of 100 values the 90th and the 100th: P(B < 90) = 1.15 %, P(B < 91) = 2.8 %, P(B >= 100) = 0.6 %."""
    interval = quantile_interval(list(range(1, 101)), 0.95)
    assert (interval.value, interval.lower, interval.upper, interval.n) == (95, 90, 100, 100)


def test_the_interval_covers_the_true_quantile() -> None:
    rng, true = random.Random(0), math.log(20)
    hits = 0
    for _ in range(600):
        interval = quantile_interval([rng.expovariate(1) for _ in range(90)], 0.95)
        hits += interval.lower <= true <= interval.upper
    assert hits / 600 >= 0.95 - 0.025


@pytest.mark.parametrize("probability", [0.5, 0.95, 0.99])
def test_fewer_values_than_can_enclose_it_are_refused(probability: float) -> None:
    needed = least_values(probability)
    assert quantile_interval(range(needed), probability).n == needed
    with pytest.raises(ValueError, match=f"needs {needed}"):
        quantile_interval(range(needed - 1), probability)


def test_ninety_five_percent_needs_72_values() -> None:
    assert least_values(0.95) == 72


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        quantile_interval([*range(99), value], 0.95)


@pytest.mark.parametrize("probability", [0, 1, -1, 2])
def test_impossible_quantiles(probability: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        quantile_interval(range(100), probability)


def test_equal_values_have_a_point_as_interval() -> None:
    interval = quantile_interval([3.0] * 80, 0.95)
    assert (interval.lower, interval.value, interval.upper) == (3, 3, 3)
