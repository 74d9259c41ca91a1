"""Paired comparisons against published values, scipy and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, bootstrap

from infra.statistics.paired import (
    Discordance,
    discordance,
    mcnemar_exact,
    paired_bootstrap,
    paired_difference,
    paired_sample_size,
    tango,
)

TABLES = (
    st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 300))
    .filter(any)
    .map(lambda t: Discordance(t[0], t[1], sum(t)))
)


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 0, 5), (3, 3, 5), (0, 6, 5)])
def test_impossible_tables_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="discordant"):
        Discordance(*counts)


def test_discordance_needs_pairs() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        discordance([True], [True, False])
    with pytest.raises(ValueError, match="discordant of 0"):
        discordance([], [])
    assert discordance([True, True, False, False], [True, False, True, False]) == Discordance(1, 1, 4)


def test_tango_published_values() -> None:
    # Fagerland, Lydersen, Laake, Stat. Med. 33 (2014) 2850-2875: airway hyper-responsiveness before and
    # after stem cell transplantation (Bentur et al. 2009), asymptotic score interval of 7:1 of 21.
    got = tango(Discordance(1, 7, 21))
    assert (got.value, got.lower, got.upper) == pytest.approx((-0.286, -0.517, -0.026), abs=5e-4)


def test_tango_without_discordance_has_its_closed_form() -> None:
    # Both counts zero: the score equation reduces to n·d/(1-d) = z².
    z = 1.959963984540054
    got = tango(Discordance(0, 0, 440))
    assert (-got.lower, got.upper) == pytest.approx((z * z / (440 + z * z),) * 2, rel=1e-9)


@given(TABLES, st.sampled_from([0.8, 0.9]))
def test_tango_properties(table: Discordance, confidence: float) -> None:
    got, wider = tango(table, confidence), tango(table, 0.99)
    assert -1 <= wider.lower <= got.lower <= table.difference <= got.upper <= wider.upper <= 1
    mirrored = tango(Discordance(table.lost, table.gained, table.n), confidence)
    assert (-mirrored.upper, -mirrored.lower) == pytest.approx((got.lower, got.upper), abs=1e-9)
    if table.lost:
        better = tango(Discordance(table.gained + 1, table.lost - 1, table.n), confidence)
        assert better.lower >= got.lower


@given(TABLES)
def test_mcnemar_agrees_with_scipy(table: Discordance) -> None:
    p = mcnemar_exact(table)
    flips = table.gained + table.lost
    assert p == pytest.approx(binomtest(table.gained, flips, 0.5).pvalue if flips else 1.0, rel=1e-9)
    assert p == mcnemar_exact(Discordance(table.lost, table.gained, table.n))


def test_mcnemar_extremes() -> None:
    assert mcnemar_exact(Discordance(0, 0, 10)) == 1
    assert mcnemar_exact(Discordance(5, 5, 10)) == 1
    assert mcnemar_exact(Discordance(1, 7, 21)) == pytest.approx(0.0703125)
    assert mcnemar_exact(Discordance(272, 23, 440)) == pytest.approx(3.518e-55, rel=1e-3)
    assert mcnemar_exact(Discordance(5000, 0, 5000)) == 0


@pytest.mark.parametrize("bad", [[], [math.nan], [1.0, math.inf], [[1.0]]])
def test_bootstrap_refuses_what_it_cannot_resample(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="differences"):
        paired_bootstrap(bad)


def test_bootstrap_refuses_few_resamples_and_odd_confidence() -> None:
    with pytest.raises(ValueError, match="resamples"):
        paired_bootstrap([0.0, 1.0], resamples=10)
    with pytest.raises(ValueError, match="confidence"):
        paired_bootstrap([0.0, 1.0], confidence=95)


@pytest.mark.parametrize(
    "data",
    [
        np.repeat([1.0, -1.0, 0.0], [311, 3, 126]),
        np.repeat([1.0, -1.0, 0.0], [9, 2, 189]),
        np.random.default_rng(1).exponential(size=300),  # many values: items are drawn by index
    ],
    ids=["triage", "skewed", "continuous"],
)
def test_bootstrap_agrees_with_scipy_bca(data: "np.typing.NDArray[np.float64]") -> None:
    ours = paired_bootstrap(data, resamples=20_000, seed=3)
    theirs = bootstrap((data,), np.mean, n_resamples=20_000, method="BCa", rng=4).confidence_interval
    width = theirs.high - theirs.low
    assert (ours.lower, ours.upper) == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)


def test_bootstrap_is_a_function_of_data_and_seed() -> None:
    data = [0.1, -0.5, 0.9, 0.0, 0.2]
    assert paired_bootstrap(data, seed=7) == paired_bootstrap(data, seed=7)
    assert paired_bootstrap(data, seed=7) != paired_bootstrap(data, seed=8)


@given(TABLES)
def test_gate_interval_is_never_narrower_than_either_method(table: Discordance) -> None:
    got = paired_difference(table, resamples=500)
    score = tango(table)
    assert got.lower <= score.lower <= got.value <= score.upper <= got.upper
    assert got.n == table.n


def test_few_identical_answers_prove_nothing() -> None:
    # The bootstrap alone would say [0, 0]: equal without doubt, after five items.
    got = paired_difference(Discordance(0, 0, 5))
    assert got.lower < -0.4
    assert paired_bootstrap([0.0] * 5).lower == 0


def test_coverage_by_simulation() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for gained, lost, _ in rng.multinomial(120, [0.15, 0.05, 0.8], size=300):
        got = paired_difference(Discordance(int(gained), int(lost), 120), resamples=1000)
        hits += got.lower <= 0.10 <= got.upper
    assert hits >= 0.93 * 300


@pytest.mark.parametrize(
    ("share", "margin", "items"),
    [(0.10, 0.02, 1546), (0.10, 0.03, 687), (0.20, 0.03, 1374), (0.20, 0.05, 495)],
)
def test_items_for_non_inferiority(share: float, margin: float, items: int) -> None:
    # (1.6449 + 0.8416)² · share / margin², computed by hand.
    assert paired_sample_size(share, margin=margin) == items


def test_items_for_superiority_follow_connor() -> None:
    # Connor, Biometrics 43 (1987) 207-211: (z_a √p + z_b √(p - d²))² / d² for discordance p, difference d.
    expected = (1.6448536 * math.sqrt(0.3) + 0.8416212 * math.sqrt(0.3 - 0.01)) ** 2 / 0.01
    assert paired_sample_size(0.3, difference=0.1) == math.ceil(expected)


@pytest.mark.parametrize(
    "arguments",
    [
        {"discordant_share": 0.0, "margin": 0.1},
        {"discordant_share": 1.1, "margin": 0.1},
        {"discordant_share": 0.1, "difference": 0.2},
        {"discordant_share": 0.1},
        {"discordant_share": 0.1, "difference": -0.05, "margin": 0.05},
        {"discordant_share": 0.1, "margin": 0.1, "alpha": 0.0},
        {"discordant_share": 0.1, "margin": 0.1, "power": 1.0},
    ],
)
def test_impossible_plans_are_refused(arguments: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        paired_sample_size(**arguments)


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.5))
def test_more_power_or_less_margin_needs_more_items(share: float, margin: float) -> None:
    items = paired_sample_size(share, margin=margin)
    assert paired_sample_size(share, margin=margin, power=0.9) >= items
    assert paired_sample_size(share, margin=margin / 2) >= items
    assert paired_sample_size(share, margin=margin, alpha=0.01) >= items
