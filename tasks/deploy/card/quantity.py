"""How a card writes a metric's value; the units follow from the metric's name.

show("accuracy", 0.873)          # "87.3 %"
show("latency_p95_ms", 41.2)     # "41.2 ms"
show("accuracy_gain_over_base", 0.7)   # "+70.0 pp"
"""

_QUANTITIES = (
    ("_ms", "ms"),
    ("_rps", "requests/s"),
    ("_mb", "MB"),
    ("cost_usd_per_1k_requests", "USD"),
)
_SIGNED = ("_gain_", "_drop", "_preference")
_HIGHER_IS_BETTER = (
    "accuracy",
    "recall",
    "throughput",
    "consistency",
    "control_evidence",
    "self_test",
    "gain",
)
_LOWER_ALL_THE_SAME = ("_gap", "_drop")


def quantity(metric: str) -> str:
    """The unit of what is no share; empty for shares."""
    return next((unit for end, unit in _QUANTITIES if metric.endswith(end)), "")


def is_signed(metric: str) -> bool:
    """A difference of shares, in percentage points."""
    return not quantity(metric) and any(part in metric for part in _SIGNED)


def higher_is_better(metric: str) -> bool:
    """Which direction is an improvement."""
    if any(metric.endswith(end) for end in _LOWER_ALL_THE_SAME):
        return False
    return any(part in metric for part in _HIGHER_IS_BETTER)


def unit(metric: str) -> str:
    """ms, MB, …; percentage points for differences, percent for shares."""
    return quantity(metric) or ("pp" if is_signed(metric) else "%")


def number(metric: str, value: float) -> str:
    """A value without its unit."""
    if quantity(metric):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return f"{100 * value:+.1f}" if is_signed(metric) else f"{100 * value:.1f}"


def show(metric: str, value: float) -> str:
    """A value with its unit."""
    return f"{number(metric, value)} {unit(metric)}"


def show_limit(metric: str, limit: float) -> str:
    """A limit with its unit, without digits that say nothing."""
    return f"{limit if quantity(metric) else 100 * limit:g} {unit(metric)}"


def show_change(metric: str, before: float, after: float) -> str:
    """A difference: in points for shares, in percent of the value before for quantities."""
    if not quantity(metric):
        return f"{100 * (after - before):+.1f} pp"
    return f"{100 * (after - before) / before:+.0f} %" if before else "from nothing"


def words(metric: str) -> str:
    """A metric's name for people, without its unit."""
    known = {
        "latency_p95_ms": "latency, 95th percentile",
        "cost_usd_per_1k_requests": "cost of 1,000 requests",
    }
    end = next((end for end, _ in _QUANTITIES if metric.endswith(end)), "")
    return known.get(metric) or metric.removesuffix(end).replace("_", " ")
