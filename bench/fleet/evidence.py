"""Evidence that somebody tampered with, lost or never made: the champion's own, altered afterwards.

The unit itself is good in each of these: what must stop it is that its evidence does not hold.
"""

from collections.abc import Callable

from tasks.records import CheckFailure, Evidence, EvidenceSet

Alter = Callable[[EvidenceSet], EvidenceSet]
_ANOTHER = "sha256:" + "5" * 64


def replaced(metric: str, change: Callable[[Evidence], Evidence]) -> Alter:
    """The set with one piece changed, whatever its own checks say (`model_copy` runs none)."""

    def alter(measured: EvidenceSet) -> EvidenceSet:
        items = tuple(change(item) if item.metric == metric else item for item in measured.evidence)
        return measured.model_copy(update={"evidence": items})

    return alter


def without(metric: str) -> Alter:
    """The set without one piece."""
    return lambda measured: measured.model_copy(
        update={"evidence": tuple(item for item in measured.evidence if item.metric != metric)}
    )


def not_a_number(item: Evidence) -> Evidence:
    """Every number is NaN."""
    nan = float("nan")
    return item.model_copy(update={"value": nan, "lower": nan, "upper": nan})


def too_few(item: Evidence) -> Evidence:
    """The same share on 20 items, with the bounds that were there: n alone must not pass."""
    return item.model_copy(update={"n": 20})


def of_another(item: Evidence) -> Evidence:
    """Measured on another unit."""
    return item.model_copy(update={"inputs": {**item.inputs, "candidate": _ANOTHER}})


def impossible(item: Evidence) -> Evidence:
    """Better than can be: bounds that do not enclose the value."""
    return item.model_copy(update={"value": 0.99, "lower": 0.995, "upper": 0.98})


def narrowed(item: Evidence) -> Evidence:
    """An interval of another confidence, so that its bound looks better."""
    return item.model_copy(update={"lower": item.value, "upper": item.value, "confidence": 0.5})


def twice(measured: EvidenceSet) -> EvidenceSet:
    """A second, better piece beside the first."""
    first = next(item for item in measured.evidence if item.metric == "accuracy")
    better = first.model_copy(update={"value": 0.99, "lower": 0.98, "upper": 1.0})
    return measured.model_copy(update={"evidence": (*measured.evidence, better)})


def crashed(check: str, *metrics: str) -> Alter:
    """A check that ended with exit code 0 and left nothing."""

    def alter(measured: EvidenceSet) -> EvidenceSet:
        kept = tuple(item for item in measured.evidence if item.metric not in metrics)
        failure = CheckFailure(check=check, metrics=metrics, reason="exit 0 without evidence")
        return measured.model_copy(update={"evidence": kept, "failures": (*measured.failures, failure)})

    return alter
