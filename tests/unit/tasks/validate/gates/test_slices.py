"""Slices: a bad one is found, chance alone blocks no more often than promised, absence never passes."""

import math

import numpy as np
import pytest

from infra.statistics.clusters import clustered_share
from infra.statistics.intervals import Interval, wilson
from tasks.records import Evidence, Slice, Verdict
from tasks.validate.gates.rule import GateRule
from tasks.validate.gates.slices import SliceDecision, against
from tests.unit.tasks.validate.gates.samples import counted, measured, rule

EACH = {"slices": "each", "slice_limit": 0.2, "min_slice_n": 20}


def attacks(**more: object) -> GateRule:
    return rule(limit=0.1, **{**EACH, **more})


def floor(**more: object) -> GateRule:
    return rule("accuracy", statistic="lower", op=">=", limit=0.5, **{**EACH, **more})


def decided(found: SliceDecision | None) -> tuple[Verdict, str | None]:
    assert found is not None
    return found.decision.verdict, found.name


def test_a_slice_that_only_looks_bad_does_not_fail() -> None:
    # 6 of 20 at a limit of 20 %: P(6 or more) = 0.2
    assert against(attacks(), counted(6, 200, a=(6, 20), b=(0, 180))) is None


def test_a_slice_that_is_shown_to_be_bad_fails() -> None:
    assert decided(against(attacks(), counted(12, 200, a=(12, 20), b=(0, 180)))) == (Verdict.FAIL, "a")


def test_the_worst_of_several_is_named_and_the_others_counted() -> None:
    found = against(attacks(), counted(40, 300, a=(12, 20), b=(20, 25), c=(0, 100)))
    assert decided(found) == (Verdict.FAIL, "b")
    assert found is not None
    assert found.decision.reason.endswith("over 3 slices (1 more)")


def test_many_slices_ask_for_more_than_one() -> None:
    # P(9 or more of 20 | 0.2) = 0.010: shown at 2.5 % alone, not among twelve.
    assert decided(against(attacks(), counted(9, 20, a=(9, 20)))) == (Verdict.FAIL, "a")
    many = {f"s{number}": (0, 20) for number in range(11)}
    assert against(attacks(), counted(9, 240, a=(9, 20), **many)) is None


def test_the_other_side_for_floors() -> None:
    assert decided(
        against(floor(slice_limit=0.4), counted(150, 200, metric="accuracy", a=(1, 20), b=(149, 180)))
    ) == (
        Verdict.FAIL,
        "a",
    )
    assert (
        against(floor(slice_limit=0.4), counted(150, 200, metric="accuracy", a=(6, 20), b=(144, 180))) is None
    )


def test_without_its_own_limit_a_slice_is_held_against_that_of_the_whole() -> None:
    found = against(attacks(slice_limit=None), counted(8, 200, a=(8, 20), b=(0, 180)))
    assert decided(found) == (Verdict.FAIL, "a")


@pytest.mark.parametrize("n", [1, 19])
def test_a_small_slice_is_inconclusive_good_or_bad(n: int) -> None:
    for hits in (0, n):
        found = against(attacks(), counted(hits, 200, a=(hits, n), b=(0, 100)))
        assert decided(found) == (Verdict.INCONCLUSIVE, "a")
        assert found is not None
        assert found.decision.needed == 20
        assert f"20 items needed, {20 - n} missing" in found.decision.reason


def test_of_small_slices_the_smallest_speaks() -> None:
    found = against(attacks(), counted(0, 200, a=(0, 12), b=(0, 3), c=(0, 100)))
    assert decided(found) == (Verdict.INCONCLUSIVE, "b")
    assert found is not None
    assert found.decision.reason.endswith("(2 slices are too small)")


def test_a_bad_slice_speaks_before_a_small_one() -> None:
    assert decided(against(attacks(), counted(20, 200, a=(20, 25), b=(0, 3)))) == (Verdict.FAIL, "a")


def test_no_slices_and_absent_ones_fail() -> None:
    assert decided(against(attacks(), counted(0, 200))) == (Verdict.FAIL, None)
    named = attacks(required_slices=("a", "leak"))
    assert decided(against(named, counted(0, 200, a=(0, 100)))) == (Verdict.FAIL, "leak")
    assert against(named, counted(0, 200, a=(0, 100), leak=(0, 100))) is None


@pytest.mark.parametrize(
    ("value", "lower", "upper"),
    [(math.nan, 0.0, 1.0), (0.5, math.nan, 1.0), (0.5, 0.4, math.inf), (1.5, 1.2, 1.6), (0.1, 0.2, 0.3)],
)
def test_impossible_slices_fail(value: float, lower: float, upper: float) -> None:
    crooked = Slice.model_construct(value=value, lower=lower, upper=upper, n=100)
    good = counted(0, 200, a=(0, 100))
    item = Evidence.model_construct(**{**good.__dict__, "slices": {**good.slices, "z": crooked}})
    found = against(attacks(), item)
    assert decided(found) == (Verdict.FAIL, "z")
    assert found is not None
    assert "possible" in found.decision.reason


def test_repeated_attempts_in_a_slice_do_not_count_as_trials() -> None:
    # 3 of 5 prompts always hit, 20 attempts each: 60 of 100 attempts would be beyond doubt, 3 of 5 is not.
    hits, prompts = [number // 20 < 3 for number in range(100)], [number // 20 for number in range(100)]
    item = Evidence.of(
        "attack_success", wilson(60, 1000), {}, slices={"a": clustered_share(hits, prompts, resamples=500)}
    )
    assert item.slices["a"].n == 5
    assert against(attacks(min_slice_n=5), item) is None
    naive = Evidence.of("attack_success", wilson(60, 1000), {}, slices={"a": wilson(60, 100)})
    assert decided(against(attacks(), naive)) == (Verdict.FAIL, "a")


def test_differences_and_quantities_go_by_their_interval() -> None:
    drop = rule("perturbed_accuracy_drop", limit=0.3, **{**EACH, "slice_limit": 0.4})
    for lower, verdict in ((0.45, Verdict.FAIL), (0.35, None)):
        whole = measured(0.2, 0.1, 0.28, metric="perturbed_accuracy_drop")
        part = Interval(0.5, lower, 0.6, 0.95, 100, "paired bootstrap")
        found = against(drop, whole.model_copy(update={"slices": {"typos": Slice.of(part)}}))
        assert (found.decision.verdict if found else None) == verdict


def test_false_alarms_over_twelve_slices_stay_rare() -> None:
    rng = np.random.default_rng(0)
    alarms = 0
    for _ in range(600):
        slices = {f"s{number}": (int(hits), 60) for number, hits in enumerate(rng.binomial(60, 0.2, size=12))}
        alarms += against(attacks(), counted(100, 720, **slices)) is not None
    assert alarms <= 0.04 * 600


def test_a_broken_slice_among_twelve_is_caught() -> None:
    rng = np.random.default_rng(0)
    caught = 0
    for _ in range(200):
        slices = {f"s{number}": (int(hits), 60) for number, hits in enumerate(rng.binomial(60, 0.1, size=11))}
        found = against(attacks(), counted(100, 720, bad=(int(rng.binomial(60, 0.5)), 60), **slices))
        caught += found is not None and found.name == "bad"
    assert caught >= 0.95 * 200
