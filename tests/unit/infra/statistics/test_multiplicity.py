"""Holm's procedure against the textbook, its definition and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.statistics.multiplicity import holm

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_worked_example() -> None:
    # R 4.3: p.adjust(c(0.01, 0.02, 0.03, 0.005), "holm") = 0.03 0.04 0.04 0.02
    got = holm({"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.005})
    assert list(got) == ["a", "b", "c", "d"]
    assert list(got.values()) == pytest.approx([0.03, 0.04, 0.04, 0.02])


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan, math.inf])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="bad"):
        holm({"good": 0.5, "bad": p})


def test_no_question_has_no_answer() -> None:
    assert holm({}) == {}


@given(P_VALUES, st.floats(0.001, 0.5))
def test_is_the_step_down_procedure(values: list[float], alpha: float) -> None:
    rejected = {name for name, p in holm(dict(enumerate(values))).items() if p <= alpha}
    expected: set[int] = set()
    for rank, name in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if min(1.0, (len(values) - rank) * values[name]) > alpha:
            break
        expected.add(name)
    assert rejected == expected


@given(P_VALUES)
def test_is_never_below_the_raw_value_nor_above_bonferroni(values: list[float]) -> None:
    for name, p in holm(dict(enumerate(values))).items():
        assert values[name] <= p <= min(1.0, len(values) * values[name])


def test_one_false_alarm_in_twenty_families_at_most() -> None:
    rng = np.random.default_rng(0)
    alarms = sum(min(holm(dict(enumerate(rng.random(12)))).values()) <= 0.05 for _ in range(2000))
    assert 0.03 * 2000 <= alarms <= 0.065 * 2000
