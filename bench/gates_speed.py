"""Gates and their statistics against named peers, same machine, same run: `python bench/gates_speed.py`.

Peers: `mlflow.validate_evaluation_results` (thresholds on metrics, without intervals, sample sizes or words),
`scipy.stats.bootstrap` (paired BCa) and scipy's `binomtest` (exact interval, McNemar). The best of several
alternating rounds counts; a ratio above 1 says how many times faster ours is.
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
from infra.statistics.paired import Discordance, mcnemar_exact, paired_bootstrap
from tasks.records import Evidence, EvidenceSet, SecurityRequirements
from tasks.validate import gates
from tasks.validate.gates import GatePolicy, GateRule

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
    from scipy.stats import binomtest, bootstrap

    signs = np.repeat([1.0, -1.0, 0.0], [311, 3, 126])
    return [
        # What mlflow does, then what `judge` does: also a sentence and a checked record for each rule.
        ("gate_decision_vs_mlflow", _deciding(rules), _mlflow(rules), 5, rules),
        ("gate_judged_and_explained_vs_mlflow", _judging(rules), _mlflow(rules), 5, rules),
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


def _deciding(rules: int) -> Callable[[], object]:
    policy = _policy(rules)
    return lambda: [gates._decide(rule, _ITEM, _ITEM.lower) for rule in policy.gates]


def _judging(rules: int) -> Callable[[], object]:
    policy = _policy(rules)
    evidence = EvidenceSet(candidate=UNIT, evidence=(_ITEM,), seconds=1.0)
    demands = SecurityRequirements(digest=UNIT, controls=(), gates=())
    return lambda: gates.judge(
        policy, evidence, requirements=demands, has_champion=False, today=date(2026, 1, 1)
    )


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
            started = time.perf_counter()
            for _ in range(calls):
                run()
            best[side] = min(best[side], (time.perf_counter() - started) / calls)
    return best[0], best[1]


if __name__ == "__main__":
    main()
