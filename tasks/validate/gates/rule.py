"""One gate rule as declared: what is compared with which limit, on how much evidence, where.

GateRule(name="floor", description="why", metric="accuracy", statistic="lower", op=">=", limit=0.5, min_n=200)
"""

import difflib
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from tasks.records.record import Record
from tasks.validate.metrics import METRICS

Statistic = Literal["point", "lower", "upper", "paired_lower", "paired_upper"]
BOUND = {
    "point": "value",
    "lower": "lower",
    "upper": "upper",
    "paired_lower": "lower",
    "paired_upper": "upper",
}
"""The field of the evidence that a statistic reads."""
_CAUTIOUS = {">": "lower", ">=": "lower", "<": "upper", "<=": "upper"}


class GateRule(Record):
    """One rule; every rule blocks, `severity` only orders the reasons."""

    model_config = ConfigDict(strict=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    description: str = Field(min_length=1, description="why the rule exists, for the person who is blocked")
    metric: str = Field(description="what is measured: one of the names in tasks/validate/metrics.py")
    statistic: Statistic = Field(
        description="value, or which bound of its interval; paired_*: it must compare item by item"
    )
    op: Literal[">", ">=", "<", "<="]
    limit: float = Field(description="a share, not percent: 0.05 is five points; or in the metric's unit")
    min_n: int = Field(ge=1, description="fewer measured items than this: inconclusive")
    confidence: float = Field(0.95, gt=0, lt=1, description="the interval must have at least this confidence")
    severity: Literal["critical", "high", "medium"] = "high"
    on_missing: Literal["fail"] = Field(
        "fail", description="absent evidence never passes; no other value is allowed"
    )
    applies: Literal["always", "champion"] = Field(
        "always", description="champion: only when a champion exists, and then the metric is required"
    )
    only_with: str | None = Field(
        None,
        min_length=1,
        description="dotted name of a setting that only files set: where it is off (false or null), the rule"
        " applies only to what was measured or tried all the same",
    )
    slices: Literal["none", "each"] = Field(
        "none",
        description="each: every slice of the evidence is judged too, and fails when it is shown to be worse"
        " than slice_limit, corrected for the number of slices",
    )
    slice_limit: float | None = Field(None, description="of one slice; absent: the limit of the whole")
    min_slice_n: int | None = Field(
        None, ge=1, description="a slice with fewer items than this: inconclusive"
    )
    required_slices: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="slices that must have been measured; an absent one fails"
    )

    @property
    def limit_of_slices(self) -> float:
        """What each slice is held against."""
        return self.limit if self.slice_limit is None else self.slice_limit

    @property
    def paired(self) -> bool:
        """Whether the evidence must come from a comparison item by item."""
        return self.statistic.startswith("paired_")

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        metric = METRICS.get(self.metric)
        if metric is None:
            close = difflib.get_close_matches(self.metric, METRICS, n=1)
            known = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(METRICS)}"
            raise ValueError(f"unknown metric {self.metric!r}, {known}")
        if BOUND[self.statistic] not in ("value", _CAUTIOUS[self.op]):
            cautious = self.statistic.replace(BOUND[self.statistic], _CAUTIOUS[self.op])
            raise ValueError(
                f"{self.statistic} {self.op} limit would pass on uncertain evidence, use {cautious}"
            )
        self._check_limit("limit", self.limit)
        if metric.needs_champion and self.applies != "champion":
            raise ValueError(f"{self.metric} needs a champion: say `applies: champion`")
        return self

    @model_validator(mode="after")
    def _slices_fit(self) -> Self:
        given = [name for name in ("slice_limit", "min_slice_n") if getattr(self, name) is not None] + (
            ["required_slices"] if self.required_slices else []
        )
        if self.slices == "none":
            if given:
                raise ValueError(f"{given[0]} does nothing without `slices: each`")
            return self
        if self.min_slice_n is None:
            raise ValueError("`slices: each` needs min_slice_n: how few items are too few to judge a slice")
        self._check_limit("slice_limit", self.limit_of_slices)
        return self

    def _check_limit(self, name: str, limit: float) -> None:
        metric = METRICS[self.metric]
        if not metric.low <= limit <= metric.high:
            advice = "" if metric.quantity else ": write a share, not percent"
            raise ValueError(
                f"{name} {limit} is outside of what {self.metric} can be"
                f" ({metric.low:g} to {metric.high:g}){advice}"
            )
