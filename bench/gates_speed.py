"""Gates and their statistics against named peers, same machine, same run: `python bench/gates_speed.py`.

Peers: `mlflow.validate_evaluation_results` (thresholds on metrics, without intervals, sample sizes or words),
`scipy.stats.bootstrap` (paired BCa), scipy's `binomtest` (exact interval, McNemar, one-sided test) and its
`false_discovery_control` (corrects for the number of slices in another way, at the same cost). CPU time, the
best of several alternating rounds; a ratio above 1 says how many times faster ours is.

Rules differ in every part of what they decide: a passing whole, slices that all pass, slices of which one is
shown to be bad, and a rule that is inconclusive and works out how many items would decide.
"""

import argparse
import logging
import os
import time
from collections.abc import Callable
from datetime import date

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import numpy as np
from results import publish

from infra.digest import digest_bytes
from infra.statistics.intervals import clopper_pearson, wilson
from infra.statistics.multiplicity import holm
from infra.statistics.one_sided import binomial_p
from infra.statistics.paired import Discordance, mcnemar_exact, paired_bootstrap
from tasks.records import Evidence, EvidenceSet, SecurityRequirements
from tasks.validate.gates import GatePolicy, GateRule, judge
from tasks.validate.gates.decide import decide
from tasks.validate.gates.slices import against

UNIT = digest_bytes(b"unit")


def main() -> None:
    """Publish microseconds of ours and peer, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    report: dict[str, dict[str, float]] = {}
    for name, ours, peer, calls, per in _contests(options.rules):
        mine, theirs = _best(ours, peer, calls, options.rounds)
        report[name] = {
            "ours_us": round(1e6 * mine / per, 3),
            "peer_us": round(1e6 * theirs / per, 3),
            "times_faster": round(theirs / mine, 1),
        }
    publish("gates_speed", report, parameters=vars(options))


def _contests(rules: int) -> list[tuple[str, Callable[[], object], Callable[[], object], int, int]]:
    from scipy.stats import binomtest, bootstrap, false_discovery_control

    signs = np.repeat([1.0, -1.0, 0.0], [311, 3, 126])
    return [
        # What mlflow does, then what `judge` does: also a sentence and a checked record for each rule.
        ("gate_decision_vs_mlflow", _deciding(rules), _mlflow(rules), 5, rules),
        ("gate_judged_and_explained_vs_mlflow", _judging(rules), _mlflow(rules), 5, rules),
        ("gate_inconclusive_with_needed_sample_vs_mlflow", _deciding(rules, _FEW), _mlflow(rules), 5, rules),
        # A whole and twelve slices are thirteen decisions, for the peer thirteen thresholds.
        (
            "gate_over_12_good_slices_vs_mlflow",
            _slicing(rules, bad=False),
            _mlflow(13 * rules),
            5,
            13 * rules,
        ),
        ("gate_over_12_slices_one_bad_vs_scipy", _slicing(1, bad=True), _scipy_slices, 20, 1),
        (
            "holm_of_12_vs_scipy",
            lambda: holm(_P_VALUES),
            lambda: false_discovery_control(list(_P_VALUES.values()), method="by"),
            50,
            1,
        ),
        (
            "one_sided_exact_vs_scipy",
            lambda: binomial_p(30, 40, 0.5, "above"),
            lambda: binomtest(30, 40, 0.5, "greater").pvalue,
            50,
            1,
        ),
        (
            "paired_bootstrap_vs_scipy",
            lambda: paired_bootstrap(signs),
            lambda: bootstrap((signs,), np.mean, n_resamples=10_000, method="BCa", rng=0),
            1,
            1,
        ),
        (
            "wilson_vs_scipy",
            lambda: wilson(305, 440),
            lambda: binomtest(305, 440).proportion_ci(0.95, "wilson"),
            50,
            1,
        ),
        (
            "exact_vs_scipy",
            lambda: clopper_pearson(305, 440),
            lambda: binomtest(305, 440).proportion_ci(0.95),
            20,
            1,
        ),
        (
            "mcnemar_vs_scipy",
            lambda: mcnemar_exact(Discordance(272, 23, 440)),
            lambda: binomtest(23, 295, 0.5).pvalue,
            50,
            1,
        ),
    ]


def _policy(rules: int) -> GatePolicy:
    rule = {
        "description": "bench",
        "metric": "accuracy",
        "statistic": "lower",
        "op": ">=",
        "limit": 0.5,
        "min_n": 200,
    }
    return GatePolicy(
        gates=tuple(GateRule.model_validate({"name": f"rule-{n}", **rule}) for n in range(rules))
    )


_ITEM = Evidence(
    metric="accuracy",
    value=0.84,
    lower=0.80,
    upper=0.87,
    n=440,
    method="Wilson score interval; 370 of 440 right",
    inputs={"candidate": UNIT},
)


_FEW = Evidence.of("accuracy", wilson(150, 270), {"candidate": UNIT})
_P_VALUES = {f"slice-{number}": 0.001 * (number + 1) for number in range(12)}


def _deciding(rules: int, item: Evidence = _ITEM) -> Callable[[], object]:
    policy = _policy(rules)
    return lambda: [decide(rule, item) for rule in policy.gates]


def _sliced(bad: bool) -> Evidence:
    slices = {f"slice-{number}": wilson(33, 40) for number in range(12)}
    slices["slice-0"] = wilson(5 if bad else 33, 40)
    return Evidence.of("accuracy", wilson(370, 440), {"candidate": UNIT}, slices=slices)


def _slicing(rules: int, *, bad: bool) -> Callable[[], object]:
    """Whole and slices, as `judge` does both."""
    given = [
        rule.model_copy(update={"slices": "each", "slice_limit": 0.4, "min_slice_n": 30})
        for rule in _policy(rules).gates
    ]
    item = _sliced(bad)
    if (against(given[0], item) is not None) != bad:
        raise RuntimeError("the bench does not measure what it says")
    return lambda: [(decide(rule, item), against(rule, item)) for rule in given]


def _scipy_slices() -> object:
    """The same question asked with scipy: twelve one-sided exact tests, corrected."""
    from scipy.stats import binomtest, false_discovery_control

    hits = [5, *[33] * 11]
    return false_discovery_control([binomtest(each, 40, 0.4, "less").pvalue for each in hits], method="by")


def _judging(rules: int) -> Callable[[], object]:
    policy = _policy(rules)
    evidence = EvidenceSet(candidate=UNIT, evidence=(_ITEM,), seconds=1.0)
    demands = SecurityRequirements(digest=UNIT, controls=(), gates=())
    return lambda: judge(policy, evidence, requirements=demands, has_champion=False, today=date(2026, 1, 1))


def _mlflow(rules: int) -> Callable[[], object]:
    import mlflow
    from mlflow.models import MetricThreshold
    from mlflow.models.evaluation.base import EvaluationResult

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    limits = {f"metric-{n}": MetricThreshold(threshold=0.5, greater_is_better=True) for n in range(rules)}
    result = EvaluationResult(metrics={f"metric-{n}": 0.84 for n in range(rules)}, artifacts={})
    return lambda: mlflow.validate_evaluation_results(limits, result)


def _best(
    ours: Callable[[], object], peer: Callable[[], object], calls: int, rounds: int
) -> tuple[float, float]:
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for side, run in enumerate((ours, peer)):
            started = time.process_time()
            for _ in range(calls):
                run()
            best[side] = min(best[side], (time.process_time() - started) / calls)
    return best[0], best[1]


if __name__ == "__main__":
    main()
