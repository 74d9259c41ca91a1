"""How many items would decide: the sample that a rule needs, and how much of it is missing.

items_needed(rule, item)       # 0 hits in 20 trials, limit 2 %: 189
"""

from infra.statistics.power import exact_sample_size, proportion_sample_size, scaled_sample_size
from tasks.records import Evidence
from tasks.validate.gates.rule import BOUND, GateRule
from tasks.validate.metrics import METRICS

_EXACT = "Clopper-Pearson"
_COUNTED = ("Wilson", _EXACT)


def items_needed(rule: GateRule, item: Evidence) -> int | None:
    """Items in all for which the rule's bound would clear its limit, were the value to stay as it is.

    At least `min_n` and more than there are. None when the value is on the limit (no number shows that) or
    has no bound. Counts go by the formula of their interval, everything else by the root of n: an estimate.
    """
    bound = getattr(item, BOUND[rule.statistic])
    distance, width = abs(item.value - rule.limit), abs(item.value - bound)
    if distance == 0 or width == 0:
        return None
    return max(rule.min_n, item.n + 1, _for_bound(rule, item, width, distance))


def _for_bound(rule: GateRule, item: Evidence, width: float, distance: float) -> int:
    # At 0 and n hits a bound comes closer with n, not with its root: scaling would ask for far too many.
    if METRICS[rule.metric].is_share and (item.method.startswith(_COUNTED) or item.value in (0.0, 1.0)):
        if item.method.startswith(_EXACT):
            try:
                return exact_sample_size(item.value, rule.limit, confidence=item.confidence)
            except ValueError:  # too close for the exact bound; Wilson's formula says how far it is
                pass
        return proportion_sample_size(item.value, rule.limit, confidence=item.confidence)
    return scaled_sample_size(max(1, item.n), width, distance)


def missing(needed: int, n: int) -> str:
    """How many of the needed items are not there, in words."""
    return f"{needed - n:,} missing" if needed < 1e6 else "more than a million missing"
