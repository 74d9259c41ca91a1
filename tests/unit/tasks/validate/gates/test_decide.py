"""One rule, one piece of evidence: what is not shown never passes, and how much would show it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.statistics.clusters import clustered_share
from infra.statistics.intervals import clopper_pearson, wilson
from tasks.records import Evidence, Verdict
from tasks.validate.gates.decide import decide
from tasks.validate.gates.samples import items_needed
from tests.unit.tasks.validate.gates.samples import counted, measured, rule


def test_no_hit_in_twenty_trials_is_inconclusive_for_two_percent() -> None:
    got = decide(rule(), counted(0, 20))
    assert got.verdict == Verdict.INCONCLUSIVE
    assert got.needed == 189
    assert got.reason == "inconclusive: not shown yet, about 189 such items would decide, 169 missing"


def test_the_sample_that_was_promised_decides() -> None:
    assert decide(rule(), counted(0, 188)).verdict == Verdict.INCONCLUSIVE
    assert decide(rule(), counted(0, 189)).verdict == Verdict.PASS


def test_too_few_items_ask_for_what_would_decide_and_not_only_for_min_n() -> None:
    got = decide(rule(min_n=50), counted(0, 20))
    assert (got.verdict, got.needed) == (Verdict.INCONCLUSIVE, 189)
    assert got.reason == "inconclusive: 189 items needed, 169 missing"
    assert decide(rule(min_n=500), counted(0, 20)).needed == 500


@pytest.mark.parametrize("hits", [1, 10, 20])
def test_too_few_bad_items_promise_nothing_beyond_min_n(hits: int) -> None:
    assert decide(rule(min_n=50), counted(hits, 20)).needed == 50


def test_nothing_measured_is_inconclusive() -> None:
    empty = measured(0.0, 0.0, 0.0, metric="attack_success", n=0)
    got = decide(rule(), empty)
    assert (got.verdict, got.needed) == (Verdict.INCONCLUSIVE, 10)


def test_an_exact_interval_asks_for_its_own_sample() -> None:
    exact = Evidence.of("attack_success", clopper_pearson(0, 20), {})
    assert decide(rule(), exact).needed == 183


def test_a_clean_share_of_any_method_does_not_ask_for_too_many() -> None:
    # Scaled by the root of n, 20 clean prompts would ask for 1,298; at 0 hits a bound comes closer with n.
    clean = clustered_share([False] * 60, [number // 3 for number in range(60)], resamples=200)
    got = decide(rule(), Evidence.of("attack_success", clean, {}))
    assert (got.verdict, got.needed) == (Verdict.INCONCLUSIVE, 189)


@given(st.integers(0, 60), st.integers(10, 2000), st.floats(0.01, 0.5))
def test_a_promise_is_kept_when_the_rate_stays(hits: int, n: int, limit: float) -> None:
    if hits > n:
        return
    needed = decide(rule(limit=limit), counted(hits, n)).needed
    if needed is None or needed > 100_000 or hits == 0:
        return
    times = -(-needed // n)  # the same rate again, in whole multiples
    assert wilson(hits * times, n * times).upper <= limit


def test_a_value_on_the_limit_promises_nothing() -> None:
    got = decide(rule(limit=0.5, op="<="), counted(50, 100))
    assert (got.verdict, got.needed) == (Verdict.INCONCLUSIVE, None)
    assert got.reason == "inconclusive: not shown yet"


def test_hopelessly_close_values_say_so() -> None:
    got = decide(rule(limit=0.5), counted(49_999, 100_000))
    assert got.verdict == Verdict.INCONCLUSIVE
    assert got.reason.endswith("more than a million missing")


LATENCY = rule("latency_p95_ms", limit=1500.0)


@pytest.mark.parametrize(
    ("value", "lower", "upper", "verdict"),
    [
        (900.0, 800.0, 1500.0, Verdict.PASS),
        (900.0, 800.0, 1501.0, Verdict.INCONCLUSIVE),
        (1501.0, 1400.0, 1600.0, Verdict.FAIL),
        (9e300, 8e300, 1e301, Verdict.FAIL),
    ],
)
def test_quantities_without_an_upper_end(value: float, lower: float, upper: float, verdict: Verdict) -> None:
    got = decide(LATENCY, measured(value, lower, upper, metric="latency_p95_ms"))
    assert got.verdict == verdict
    assert "possible" not in got.reason


@pytest.mark.parametrize(
    "numbers",
    [
        (-1.0, -2.0, 3.0),
        (1.0, 1.0, math.inf),
        (math.inf, 1.0, math.inf),
        (math.nan, 1.0, 2.0),
        (5.0, 6.0, 7.0),
    ],
)
def test_impossible_quantities_fail(numbers: tuple[float, float, float]) -> None:
    value, lower, upper = numbers
    good = measured(900.0, 800.0, 1000.0, metric="latency_p95_ms")
    crooked = Evidence.model_construct(**{**good.__dict__, "value": value, "lower": lower, "upper": upper})
    got = decide(LATENCY, crooked)
    assert (got.verdict, got.reason) == (Verdict.FAIL, "fails: not a possible measurement")


def test_a_throughput_floor() -> None:
    floor = rule("throughput_rps", statistic="lower", op=">=", limit=5.0)
    assert decide(floor, measured(9.0, 6.0, 12.0, metric="throughput_rps")).verdict == Verdict.PASS
    got = decide(floor, measured(7.0, 4.0, 12.0, metric="throughput_rps"))
    assert (got.verdict, got.needed) == (Verdict.INCONCLUSIVE, 225)  # 100 · (3 / 2)²


PAIRED = rule("accuracy_gain_over_base", statistic="paired_lower", op=">", limit=0.05)


@pytest.mark.parametrize("method", ["Wilson score interval; paired", "", "difference of means", "unpaired t"])
def test_a_paired_rule_refuses_what_was_not_compared_item_by_item(method: str) -> None:
    item = measured(0.5, 0.4, 0.6, metric="accuracy_gain_over_base", method=method)
    got = decide(PAIRED, item)
    assert got.verdict == Verdict.FAIL
    assert "not compared item by item" in got.reason


@pytest.mark.parametrize(
    "method", ["paired BCa bootstrap (…) widened", "Tango score interval; 3:1 discordant"]
)
def test_a_paired_rule_reads_the_bound_of_a_paired_comparison(method: str) -> None:
    for lower, verdict in ((0.04, Verdict.INCONCLUSIVE), (0.06, Verdict.PASS)):
        item = measured(0.5, lower, 0.6, metric="accuracy_gain_over_base", method=method)
        assert decide(PAIRED, item).verdict == verdict


def test_the_value_itself_has_no_sample_to_ask_for() -> None:
    point = rule(statistic="point")
    assert decide(point, counted(0, 20)).verdict == Verdict.PASS
    assert decide(point, counted(0, 5)).needed == 10
    assert items_needed(point, counted(0, 20)) is None
