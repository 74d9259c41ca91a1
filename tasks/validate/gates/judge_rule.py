"""One rule against what was measured for it: the result, with everything that a card shows.

judge_rule(rule, [item], None).message
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any

from tasks.records import Evidence, GateResult, Slice, Verdict
from tasks.validate.gates.decide import Decision, decide
from tasks.validate.gates.rule import BOUND, GateRule
from tasks.validate.gates.slices import SliceDecision, against
from tasks.validate.gates.words import limit_of, sentence, slice_sentence, unmeasured


def judge_rule(rule: GateRule, items: Sequence[Evidence], failure: str | None) -> GateResult:
    """The result of one rule; `failure` says why the check of its metric did not end as it should."""
    if len(items) != 1:
        return _unmeasured(rule, len(items), failure)
    item = items[0]
    decision = decide(rule, item)
    if decision.verdict != Verdict.FAIL and rule.slices == "each":
        worse = against(rule, item)
        # Of two that are inconclusive the whole speaks: its sample is the one to complete.
        if worse is not None and (decision.verdict == Verdict.PASS or worse.decision.verdict == Verdict.FAIL):
            return _of_slice(rule, item, worse)
    if failure is not None and decision.verdict == Verdict.PASS:
        # Something was measured, and yet the check did not end as it should: not to be relied on.
        decision = Decision(Verdict.INCONCLUSIVE, f"inconclusive: {failure}", max(rule.min_n, item.n))
    got = getattr(item, BOUND[rule.statistic])
    return _result(rule, decision, sentence(rule, item, decision.reason), item, got)


def _unmeasured(rule: GateRule, count: int, failure: str | None) -> GateResult:
    if count == 0 and failure is not None:
        decision = Decision(Verdict.INCONCLUSIVE, f"inconclusive: {failure}", rule.min_n)
    else:
        decision = Decision(Verdict.FAIL, "fails")
    reason = "not measured" if failure is not None else "no evidence was measured"
    reason = reason if count == 0 else f"measured {count} times, expected once"
    message = unmeasured(rule, f"{reason}, limit {limit_of(rule)}: {decision.reason}")
    return _result(rule, decision, message)


def _of_slice(rule: GateRule, item: Evidence, worse: SliceDecision) -> GateResult:
    decision, name, part = worse
    if part is None:
        message = unmeasured(rule, f"slice {name or 'each'}: {decision.reason}")
        return _result(rule, decision, message, name=name)
    message = slice_sentence(rule, item, name or "", part, decision.reason)
    changed = {"statistic": "slice", "limit": rule.limit_of_slices, "min_n": rule.min_slice_n}
    return _result(rule, decision, message, part, part.value, name, **changed)


def _result(
    rule: GateRule,
    decision: Decision,
    message: str,
    part: Evidence | Slice | None = None,
    got: float | None = None,
    name: str | None = None,
    **changed: object,
) -> GateResult:
    fields: dict[str, Any] = {
        "gate": rule.name,
        "metric": rule.metric,
        "verdict": decision.verdict,
        "message": message,
        "statistic": rule.statistic,
        "op": rule.op,
        "limit": rule.limit,
        "min_n": rule.min_n,
        "needed": decision.needed,
        "severity": rule.severity,
        "slice": name,
    }
    if part is not None:
        fields |= {
            "got": _finite(got),
            "n": part.n,
            "value": _finite(part.value),
            "lower": _finite(part.lower),
            "upper": _finite(part.upper),
        }
    return GateResult(**fields | changed)


def _finite(number: float | None) -> float | None:
    return number if number is not None and isfinite(number) else None
