"""A rate's bootstrap: seeded, around the total rate, refusing what is no rate."""

import math

import pytest

from infra.statistics.ratio import ratio_bootstrap


def test_the_rate_is_total_over_total() -> None:
    interval = ratio_bootstrap([8, 8, 8], [1, 2, 5])
    assert interval.value == 3
    assert 8 / 5 <= interval.lower < 3 < interval.upper <= 8
    assert interval.n == 3
    assert ratio_bootstrap([8, 8, 8], [1, 2, 5]) == interval
    assert ratio_bootstrap([8, 8, 8], [1, 2, 5], seed=1).value == 3


def test_equal_pairs_have_a_point() -> None:
    interval = ratio_bootstrap([4, 4], [2, 2])
    assert (interval.lower, interval.value, interval.upper) == (2, 2, 2)


@pytest.mark.parametrize(
    ("above", "below"),
    [
        ([], []),
        ([1], [1]),
        ([1, 1], [1, 0]),
        ([1, 1], [1, -1]),
        ([1, math.nan], [1, 1]),
        ([1, 1], [1, math.inf]),
    ],
)
def test_what_is_no_rate_is_refused(above: list[float], below: list[float]) -> None:
    with pytest.raises(ValueError, match="pairs of finite numbers"):
        ratio_bootstrap(above, below)


def test_different_lengths_and_too_few_draws_are_refused() -> None:
    with pytest.raises(ValueError):
        ratio_bootstrap([1, 1, 1], [1, 1])
    with pytest.raises(ValueError, match="resamples"):
        ratio_bootstrap([1, 1], [1, 1], resamples=10)
