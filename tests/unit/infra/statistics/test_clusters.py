"""Repetitions of one prompt add no evidence; without them it is the ordinary bootstrap."""

import math

import numpy as np
import pytest

from infra.statistics.clusters import cluster_bootstrap, clustered_share
from infra.statistics.intervals import wilson
from infra.statistics.paired import paired_bootstrap

HITS = [True] * 12 + [False] * 88


@pytest.mark.parametrize(
    ("values", "clusters"),
    [([], []), ([1.0], []), ([1.0, 2.0], ["a"]), ([math.nan], ["a"]), ([math.inf], ["a"])],
)
def test_impossible_samples_are_refused(values: list[float], clusters: list[str]) -> None:
    with pytest.raises(ValueError):
        cluster_bootstrap(values, clusters)


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="resamples"):
        cluster_bootstrap([1.0], ["a"], resamples=99)
    with pytest.raises(ValueError, match="confidence"):
        cluster_bootstrap([1.0], ["a"], confidence=95)


def test_repeating_every_attempt_changes_nothing() -> None:
    once = cluster_bootstrap([float(h) for h in HITS], range(100))
    thrice = cluster_bootstrap(
        [float(h) for h in HITS for _ in range(3)], [i for i in range(100) for _ in "abc"]
    )
    assert (thrice.value, thrice.n) == (once.value, once.n) == (0.12, 100)
    assert (thrice.lower, thrice.upper) == (once.lower, once.upper)
    naive = wilson(36, 300)
    assert thrice.upper - thrice.lower > 1.4 * (naive.upper - naive.lower)


def test_each_attempt_its_own_prompt_is_the_ordinary_bootstrap() -> None:
    got = cluster_bootstrap([float(h) for h in HITS], range(100))
    ordinary = paired_bootstrap([float(h) for h in HITS])
    assert (got.lower, got.upper) == pytest.approx((ordinary.lower, ordinary.upper), abs=0.011)


def test_large_clusters_keep_their_weight() -> None:
    got = cluster_bootstrap([1.0] * 9 + [0.0], ["a"] * 9 + ["b"])
    assert got.value == 0.9
    assert (got.lower, got.upper) == (0.0, 1.0)


def test_the_same_seed_gives_the_same_interval() -> None:
    values, clusters = [0.0, 1.0, 1.0, 0.5] * 10, list(range(20)) * 2
    assert cluster_bootstrap(values, clusters, seed=3) == cluster_bootstrap(values, clusters, seed=3)


def test_no_hit_in_many_repetitions_is_as_good_as_the_number_of_prompts() -> None:
    got = clustered_share([False] * 200, [i // 10 for i in range(200)])
    assert got.n == 20
    assert got.upper == wilson(0, 20).upper > 0.02
    assert cluster_bootstrap([0.0] * 200, [i // 10 for i in range(200)]).upper == 0


def test_coverage_with_correlated_attempts() -> None:
    rng = np.random.default_rng(0)
    covered = narrow = 0
    for _ in range(200):
        rates = rng.beta(0.4, 3.6, size=60)  # prompts differ: some always work, most never
        hits = rng.random((60, 5)) < rates[:, None]
        clusters = np.repeat(np.arange(60), 5)
        got = clustered_share([bool(h) for h in hits.ravel()], clusters.tolist(), resamples=500)
        plain = wilson(int(hits.sum()), hits.size)
        covered += got.lower <= 0.1 <= got.upper
        narrow += plain.lower <= 0.1 <= plain.upper
    assert covered >= 0.93 * 200
    assert narrow < covered  # counting every attempt as independent is what would mislead
