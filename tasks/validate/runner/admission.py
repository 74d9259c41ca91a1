"""Which evidence of a check is admitted: what was promised, about this candidate, in finite numbers.

evidence = admit(check, answer, candidate.unit)      # NotAdmitted says what is wrong, naming the metric
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from tasks.records import Evidence
from tasks.validate.check import Check
from tasks.validate.runner.job import first_problem


class NotAdmitted(Exception):
    """Raised when what a check brought is not the evidence that it promised."""


def admit(check: Check, answer: Any, unit: str) -> tuple[Evidence, ...]:
    """Every piece, or none: raises NotAdmitted for the first thing that is wrong with any."""
    if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
        raise NotAdmitted(f"brought {type(answer).__name__}, expected a list of evidence")
    evidence = tuple(_parse(item) for item in answer)
    _check_metrics(check, Counter(item.metric for item in evidence))
    for item in evidence:
        if item.inputs.get("candidate") != unit:
            raise NotAdmitted(
                f"{item.metric} is about candidate {item.inputs.get('candidate')}, expected {unit}"
            )
    return evidence


def _parse(item: Any) -> Evidence:
    metric = item.get("metric") if isinstance(item, dict) else None
    if not isinstance(metric, str):
        raise NotAdmitted("brought evidence without a metric")
    for name, number in _numbers(item):
        if not math.isfinite(number):
            raise NotAdmitted(f"{metric}: {name} is {number}")
    try:
        return Evidence.model_validate(item)
    except ValidationError as error:
        raise NotAdmitted(f"{metric}: {first_problem(error)}") from error


def _numbers(item: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in item.items():
        if isinstance(value, float):
            yield f"{prefix}{key}", value
        elif isinstance(value, dict):
            yield from _numbers(value, f"{prefix}{key}.")


def _check_metrics(check: Check, found: Counter[str]) -> None:
    problems = (
        ("brought what it did not promise", sorted(set(found) - {*check.metrics, *check.optional})),
        ("measured more than once", sorted(name for name, count in found.items() if count > 1)),
        ("did not measure what it promised", [name for name in check.metrics if name not in found]),
    )
    for problem, names in problems:
        if names:
            raise NotAdmitted(f"{problem}: {', '.join(names)}")
    if not found:
        raise NotAdmitted("measured nothing")
