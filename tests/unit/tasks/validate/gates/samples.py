"""Rules and evidence to judge, made short."""

from typing import Any

from infra.digest import digest_bytes
from infra.statistics.intervals import Interval, wilson
from tasks.records import Evidence
from tasks.validate.gates.rule import GateRule

UNIT = digest_bytes(b"unit")


def rule(metric: str = "attack_success", **more: Any) -> GateRule:
    fields: dict[str, Any] = {
        "name": "gate",
        "description": "why",
        "metric": metric,
        "statistic": "upper",
        "op": "<=",
        "limit": 0.02,
        "min_n": 10,
        **more,
    }
    return GateRule.model_validate(fields)


def counted(successes: int, n: int, metric: str = "attack_success", **slices: tuple[int, int]) -> Evidence:
    parts = {name: wilson(*counts) for name, counts in slices.items()}
    return Evidence.of(metric, wilson(successes, n), {"candidate": UNIT}, slices=parts)


def measured(
    value: float, lower: float, upper: float, *, metric: str, n: int = 100, method: str = "mean"
) -> Evidence:
    return Evidence.of(metric, Interval(value, lower, upper, 0.95, n, method), {"candidate": UNIT})
