"""Each slice of the evidence: a mean can hide a group, a label or a risk where all goes wrong.

against(rule, item)     # None, or the slice that decides, with verdict and reason

A slice fails only when it is shown to be worse than its limit, at the one-sided level of the rule's interval
(2.5 % for 95 %) for all slices together (Holm): twelve slices are twelve chances of a false alarm.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from infra.statistics.intervals import clopper_pearson, wilson
from infra.statistics.multiplicity import holm
from infra.statistics.one_sided import binomial_p, interval_p
from tasks.records import Evidence, Slice, Verdict
from tasks.validate.gates.decide import OPERATORS, Decision, fails
from tasks.validate.gates.rule import GateRule
from tasks.validate.gates.samples import missing
from tasks.validate.metrics import METRICS


class SliceDecision(NamedTuple):
    """What speaks against a candidate; `part` is None where the slice was not measured."""

    decision: Decision
    name: str | None = None
    part: Slice | None = None


def against(rule: GateRule, item: Evidence) -> SliceDecision | None:
    """The slice that decides, worst first: absent, impossible, shown to be worse, too small. Or None."""
    if not item.slices:
        return SliceDecision(fails("no slices were measured"))
    for name in rule.required_slices:
        if name not in item.slices:
            return SliceDecision(fails("this slice was not measured"), name)
    for name, part in item.slices.items():
        if not _possible(rule, part):
            return SliceDecision(fails("not a possible measurement"), name, part)
    fewest = rule.min_slice_n or 1
    large = {name: part for name, part in item.slices.items() if part.n >= fewest}
    if (worst := _shown_worse(rule, item, large)) is not None:
        return worst
    small = [name for name in item.slices if name not in large]
    if not small:
        return None
    name = min(small, key=lambda each: item.slices[each].n)
    part = item.slices[name]
    more = f" ({len(small)} slices are too small)" if len(small) > 1 else ""
    reason = f"inconclusive: {fewest:,} items needed, {missing(fewest, part.n)}{more}"
    return SliceDecision(Decision(Verdict.INCONCLUSIVE, reason, fewest), name, part)


def _possible(rule: GateRule, part: Slice) -> bool:
    metric = METRICS[rule.metric]
    return metric.low <= part.lower <= part.value <= part.upper <= metric.high and part.upper != math.inf


def _shown_worse(rule: GateRule, item: Evidence, slices: Mapping[str, Slice]) -> SliceDecision | None:
    adjusted = holm({name: _p_worse(rule, item, part) for name, part in slices.items()})
    level = (1 - rule.confidence) / 2
    bad = [name for name, p in adjusted.items() if p <= level]
    if not bad:
        return None
    name = min(bad, key=lambda each: (adjusted[each], -abs(slices[each].value - rule.limit_of_slices)))
    more = f" ({len(bad) - 1} more)" if len(bad) > 1 else ""
    reason = f"shown to be worse, p={adjusted[name]:.1g} over {len(slices)} slices{more}"
    return SliceDecision(fails(reason), name, slices[name])


def _p_worse(rule: GateRule, item: Evidence, part: Slice) -> float:
    """One-sided p that the slice is worse than its limit; 1 where it does not even look so."""
    limit = rule.limit_of_slices
    if OPERATORS[rule.op](part.value, limit):
        return 1.0
    worse = "below" if rule.op in (">", ">=") else "above"
    hits = _hits(rule, item, part)
    if hits is not None:
        return binomial_p(hits, part.n, limit, worse)  # type: ignore[arg-type]  # one of the two sides
    bound = part.upper if worse == "below" else part.lower
    return interval_p(part.value, bound, limit, confidence=item.confidence)


def _hits(rule: GateRule, item: Evidence, part: Slice) -> int | None:
    """The count behind a share, where its interval is that of a count: clustered trials are not."""
    if not METRICS[rule.metric].is_share or part.n < 1:
        return None
    hits = round(part.value * part.n)
    if not math.isclose(part.value, hits / part.n, rel_tol=1e-9, abs_tol=1e-12):
        return None
    for method in (wilson, clopper_pearson):
        counted = method(hits, part.n, item.confidence)
        if math.isclose(counted.lower, part.lower, abs_tol=1e-9) and math.isclose(
            counted.upper, part.upper, abs_tol=1e-9
        ):
            return hits
    return None
