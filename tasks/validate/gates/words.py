"""What a gate says in one line: value, interval, limit, sample, and why it does not pass.

sentence(rule, item, "fails")    # "accuracy-floor: 13.0 % accuracy, 95% CI [10.1, 16.4], limit …: fails"
"""

from tasks.records import Evidence, Slice
from tasks.validate.gates.rule import BOUND, GateRule
from tasks.validate.metrics import METRICS


def limit_of(rule: GateRule) -> str:
    """Statistic, operator and limit with its unit: `lower >= 50 %`."""
    bound = "" if rule.statistic == "point" else f"{BOUND[rule.statistic]} "
    return f"{bound}{rule.op} {METRICS[rule.metric].show_limit(rule.limit)}"


def sentence(rule: GateRule, item: Evidence, reason: str) -> str:
    """The line about the whole of the evidence; `reason` is empty for a pass."""
    # By convention of `method`, what follows its last "; " is a remark about this result.
    _, mark, remark = item.method.rpartition("; ")
    line = f"{rule.name}: {_measured(rule, item, item.confidence)}, limit {limit_of(rule)}, n={item.n}"
    return line + (f" ({remark})" if mark else "") + (f": {reason}" if reason else "")


def slice_sentence(rule: GateRule, item: Evidence, name: str, part: Slice, reason: str) -> str:
    """The line about the slice that decides; the whole follows in brackets."""
    metric = METRICS[rule.metric]
    return (
        f"{rule.name}: slice {name}: {_measured(rule, part, item.confidence)},"
        f" slice limit {rule.op} {metric.show_limit(rule.limit_of_slices)}, n={part.n}"
        f" (all: {metric.show(item.value)} {metric.unit}, n={item.n}): {reason}"
    )


def unmeasured(rule: GateRule, reason: str) -> str:
    """The line where there is nothing to show."""
    return f"{rule.name}: {rule.metric}: {reason}"


def _measured(rule: GateRule, part: Evidence | Slice, confidence: float) -> str:
    metric = METRICS[rule.metric]
    interval = f"[{metric.show(part.lower)}, {metric.show(part.upper)}]"
    return f"{metric.show(part.value)} {metric.unit} {metric.about}, {confidence:.0%} CI {interval}"
