"""Every rule in words: what it measures, why, its limit, the sample it needs, what happens without evidence.

explain(rule).sample       # (Sample(expected="no hit at all", items=189), …)
as_text(explain(rule))
"""

from pydantic import Field

from infra.statistics.paired import paired_sample_size
from infra.statistics.power import proportion_sample_size
from tasks.records.record import Record
from tasks.validate.gates.rule import BOUND, GateRule
from tasks.validate.gates.words import limit_of
from tasks.validate.metrics import METRICS, Metric

_DISCORDANT = 0.10
_POWER = 0.8


class Sample(Record):
    """How many items decide if the truth is as expected."""

    expected: str = Field(description="what is assumed to be true")
    items: int = Field(ge=1, description="min_n or what the statistics ask, whichever is more")


class Explanation(Record):
    """One rule, for a person."""

    gate: str
    severity: str
    metric: str
    measures: str
    why: str
    limit: str
    statistic: str
    slices: str = Field("", description="empty: slices are shown, not judged")
    min_n: int
    sample: tuple[Sample, ...] = Field((), description="empty: depends on a spread that only a run shows")
    applies: str
    missing: str


def explain(rule: GateRule, expected: float | None = None) -> Explanation:
    """The rule in words; `expected`: the value that is thought to be true, else some telling ones."""
    metric = METRICS[rule.metric]
    return Explanation(
        gate=rule.name,
        severity=rule.severity,
        metric=rule.metric,
        measures=f"{metric.about} ({metric.unit})",
        why=rule.description,
        limit=limit_of(rule),
        statistic=_statistic(rule),
        slices=_slices(rule, metric),
        min_n=rule.min_n,
        sample=_samples(rule, metric, expected),
        applies=_applies(rule),
        missing=_missing(rule),
    )


def _statistic(rule: GateRule) -> str:
    if rule.statistic == "point":
        return "the measured value itself; its uncertainty is not counted"
    words = (
        f"the {BOUND[rule.statistic]} bound of the {rule.confidence:.0%} interval: what is uncertain counts"
        " against the candidate; a value within the limit whose bound is not is inconclusive"
    )
    return words + ("; both models must have answered the same items" if rule.paired else "")


def _slices(rule: GateRule, metric: Metric) -> str:
    if rule.slices == "none":
        return ""
    named = f"; required: {', '.join(rule.required_slices)}" if rule.required_slices else ""
    return (
        f"each slice fails when it is shown not to be {rule.op} {metric.show_limit(rule.limit_of_slices)}"
        f" (one-sided {(1 - rule.confidence) / 2:.1%} over all slices, Holm); fewer than {rule.min_slice_n}"
        f" items in a slice: inconclusive; no slices: fails{named}"
    )


def _applies(rule: GateRule) -> str:
    parts = []
    if rule.applies == "champion":
        parts.append("where a champion exists")
    if rule.only_with is not None:
        parts.append(f"where the setting {rule.only_with} is on")
    if not parts:
        return "always"
    return " and ".join(parts) + "; and wherever the metric was measured or its check failed"


def _missing(rule: GateRule) -> str:
    return (
        "no evidence: fails; a check that raised, hung or gave no number: inconclusive; fewer than"
        f" {rule.min_n} items: inconclusive. Each blocks; only what is inconclusive can be waived"
    )


def _samples(rule: GateRule, metric: Metric, expected: float | None) -> tuple[Sample, ...]:
    if rule.statistic == "point":
        return (Sample(expected="any value", items=rule.min_n),)
    if metric.is_share:
        return _of_share(rule, metric, expected)
    if rule.paired or (metric.signed and not metric.quantity):
        return _of_difference(rule, metric, expected)
    return ()


def _of_share(rule: GateRule, metric: Metric, expected: float | None) -> tuple[Sample, ...]:
    """With `_POWER` that the bound clears the limit; the perfect value needs no luck."""
    upper = BOUND[rule.statistic] == "upper"
    perfect = 0.0 if upper else 1.0
    chosen = (perfect, (rule.limit + perfect) / 2) if expected is None else (expected,)
    rates = [rate for rate in chosen if _within(rule, rate)]
    return tuple(
        Sample(
            expected=f"{metric.show(rate)} % true",
            items=max(
                rule.min_n,
                proportion_sample_size(rate, rule.limit, confidence=rule.confidence, power=_POWER),
            ),
        )
        for rate in rates
    )


def _of_difference(rule: GateRule, metric: Metric, expected: float | None) -> tuple[Sample, ...]:
    """Paired test at the level of the bound; the share of discordant pairs is an assumption, said so."""
    sign = 1.0 if BOUND[rule.statistic] == "lower" else -1.0
    # As good as the reference where the limit allows for a loss; else twice the gain that is asked.
    usual = 0.0 if sign * rule.limit < 0 else 2 * rule.limit
    difference = usual if expected is None else expected
    if not _within(rule, difference):
        return ()
    discordant = min(1.0, max(_DISCORDANT, 2 * abs(difference)))
    items = paired_sample_size(
        discordant,
        difference=sign * difference,
        margin=-sign * rule.limit,
        alpha=(1 - rule.confidence) / 2,
        power=_POWER,
    )
    words = f"{metric.show(difference)} pp true and {100 * discordant:g} % of the items judged differently"
    return (Sample(expected=words, items=max(rule.min_n, items)),)


def _within(rule: GateRule, value: float) -> bool:
    """Whether the value is on the right side of the limit and not on it."""
    good = value < rule.limit if BOUND[rule.statistic] == "upper" else value > rule.limit
    metric = METRICS[rule.metric]
    return good and metric.low <= value <= metric.high


def as_text(explained: Explanation) -> str:
    """For a terminal."""
    lines = [f"{explained.gate}  ({explained.severity})", f"  {explained.why}"]
    rows = [
        ("measures", f"{explained.metric}: {explained.measures}"),
        ("passes if", explained.limit),
        ("judged by", explained.statistic),
        ("slices", explained.slices),
        ("needs", f"at least {explained.min_n:,} items"),
        *(("", f"{each.items:,} items if {each.expected}") for each in explained.sample),
        ("applies", explained.applies),
        ("without", explained.missing),
    ]
    if not explained.sample:
        rows.insert(5, ("", "more if the interval is wide: the verdict says how many"))
    return "\n".join([*lines, *(f"  {name:<10} {words}" for name, words in rows if words)])
