"""One rule against one piece of evidence: pass, fail or inconclusive, and why. Pure, about a microsecond.

decide(rule, item).verdict
"""

import math
from operator import ge, gt, le, lt
from typing import NamedTuple

from tasks.records import Evidence, Verdict
from tasks.validate.gates.rule import BOUND, GateRule
from tasks.validate.gates.samples import items_needed, missing
from tasks.validate.metrics import METRICS

OPERATORS = {">": gt, ">=": ge, "<": lt, "<=": le}
_PAIRED = ("paired", "Tango")


class Decision(NamedTuple):
    """Verdict and, unless it passes, why; `needed`: items in all that would decide."""

    verdict: Verdict
    reason: str = ""
    needed: int | None = None


PASSES = Decision(Verdict.PASS)


def fails(reason: str) -> Decision:
    """Shown to be bad, or no evidence at all."""
    return Decision(Verdict.FAIL, f"fails: {reason}" if reason else "fails")


def decide(rule: GateRule, item: Evidence) -> Decision:
    """Judge the whole; slices are judged in `slices.py`."""
    metric, holds = METRICS[rule.metric], OPERATORS[rule.op]
    # Comparisons with NaN are false, so anything that is not a possible number ends here.
    if not metric.low <= item.lower <= item.value <= item.upper <= metric.high or item.upper == math.inf:
        return fails("not a possible measurement")
    if item.confidence < rule.confidence:
        return fails(f"interval of {item.confidence:.0%}, the gate asks {rule.confidence:.0%}")
    if rule.paired and not item.method.startswith(_PAIRED):
        return fails(f"not compared item by item ({item.method.partition(';')[0]})")
    if item.n < rule.min_n:
        return _too_few(rule, item)
    if holds(getattr(item, BOUND[rule.statistic]), rule.limit):
        return PASSES
    if not holds(item.value, rule.limit):
        return fails("")
    needed = items_needed(rule, item)
    reason = "inconclusive: not shown yet"
    if needed is not None:
        reason += f", about {needed:,} such items would decide, {missing(needed, item.n)}"
    return Decision(Verdict.INCONCLUSIVE, reason, needed)


def _too_few(rule: GateRule, item: Evidence) -> Decision:
    promising = OPERATORS[rule.op](item.value, rule.limit)
    needed = (items_needed(rule, item) if promising and item.n else None) or rule.min_n
    return Decision(
        Verdict.INCONCLUSIVE,
        f"inconclusive: {needed:,} items needed, {missing(needed, item.n)}",
        needed,
    )
