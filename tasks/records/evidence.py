"""Evidence, rules' results and verdicts: what validate hands on."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import Protocol, Self

from pydantic import Field, model_validator

from tasks.records.record import Digest, Record
from tasks.records.waiver import RefusedWaiver, Waiver


class Verdict(StrEnum):
    """What a gate says; only `pass` lets a candidate on."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Measured(Protocol):
    """An interval as `infra.statistics` makes them; records import nothing of ours."""

    @property
    def value(self) -> float:
        """The measured value."""

    @property
    def lower(self) -> float:
        """Lower bound."""

    @property
    def upper(self) -> float:
        """Upper bound."""

    @property
    def confidence(self) -> float:
        """Of the two-sided interval."""

    @property
    def n(self) -> int:
        """Independent items measured."""

    @property
    def method(self) -> str:
        """How the bounds were computed."""


class Slice(Record):
    """The same measurement on a part of the items; at the confidence of the whole, unadjusted."""

    value: float
    lower: float
    upper: float
    n: int = Field(ge=0, description="independent items in this part")

    @classmethod
    def of(cls, interval: Measured) -> Self:
        """The slice that an interval is."""
        return cls(value=interval.value, lower=interval.lower, upper=interval.upper, n=interval.n)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.lower <= self.value <= self.upper:
            raise ValueError(f"slice: value {self.value} outside of its interval")
        return self


class Evidence(Record):
    """One measurement: value, interval, sample size, method, and what it was measured on."""

    metric: str
    value: float
    lower: float = Field(description="lower bound of the interval")
    upper: float = Field(description="upper bound of the interval")
    confidence: float = Field(0.95, gt=0, lt=1)
    n: int = Field(ge=0, description="independent items measured")
    method: str = Field(description="how value and interval were computed")
    inputs: dict[str, Digest] = Field(description="what was measured, by digest")
    slices: dict[str, Slice] = Field({}, description="the same by slice: label, group, risk, …")
    details: Digest | None = Field(None, description="per-item results in the store")

    @classmethod
    def of(
        cls,
        metric: str,
        interval: Measured,
        inputs: Mapping[str, str],
        *,
        remark: str = "",
        slices: Mapping[str, Measured] | None = None,
        details: str | None = None,
    ) -> Self:
        """Evidence from an interval; `remark` says in words what was counted."""
        return cls(
            metric=metric,
            value=interval.value,
            lower=interval.lower,
            upper=interval.upper,
            confidence=interval.confidence,
            n=interval.n,
            method=f"{interval.method}; {remark}" if remark else interval.method,
            inputs=dict(inputs),
            slices={name: Slice.of(each) for name, each in (slices or {}).items()},
            details=details,
        )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.lower <= self.value <= self.upper:
            raise ValueError(f"{self.metric}: value {self.value} outside of its interval")
        return self


class CheckFailure(Record):
    """A check that did not end as it should: its metrics are not measured, and nothing passes on that."""

    check: str = Field(min_length=1)
    metrics: tuple[str, ...] = Field(description="what it was to measure")
    reason: str = Field(min_length=1, description="in one line: what was raised, or how long it took")


class EvidenceSet(Record):
    """All evidence about one candidate."""

    candidate: Digest = Field(description="the unit that was measured")
    evidence: tuple[Evidence, ...]
    failures: tuple[CheckFailure, ...] = ()
    seconds: float = Field(ge=0)


class GateResult(Record):
    """What one rule said, in words that a person can decide on."""

    gate: str
    metric: str
    verdict: Verdict
    message: str = Field(description="gate, value, interval, limit and n in one line")
    statistic: str
    got: float | None = Field(None, description="the statistic that was compared with the limit")
    op: str | None = None
    limit: float | None = None
    n: int | None = None
    value: float | None = None
    lower: float | None = None
    upper: float | None = None
    min_n: int | None = None
    needed: int | None = Field(None, description="items in all that would decide, where it is not decided")
    severity: str = "high"
    slice: str | None = Field(None, description="the slice that decided, for rules over slices")
    waiver: Waiver | None = Field(None, description="who answers for an inconclusive gate")


class GateReport(Record):
    """The verdict over all rules for one candidate under one gate policy."""

    candidate: Digest
    policy: Digest = Field(description="digest of the gate rules")
    evidence: Digest = Field(description="digest of the evidence set")
    requirements: Digest
    champion: Digest | None = Field(None, description="unit of the champion compared with, if there was one")
    results: tuple[GateResult, ...]
    refused: tuple[RefusedWaiver, ...] = Field((), description="waivers that did not count, and why")
    verdict: Verdict

    @model_validator(mode="after")
    def _fails_closed(self) -> Self:
        for result in self.results:
            if result.waiver is not None:
                _check_waiver(result, result.waiver, self.candidate)
        if self.verdict != (expected := verdict_of(self.results)):
            raise ValueError(f"verdict {self.verdict} does not follow from the results: {expected}")
        return self

    @property
    def waived(self) -> tuple[GateResult, ...]:
        """Inconclusive gates that a person answers for."""
        return tuple(result for result in self.results if result.waiver is not None)

    def lapsed(self, today: date) -> tuple[Waiver, ...]:
        """Waivers that the verdict rests on and that do not count any more."""
        return tuple(r.waiver for r in self.results if r.waiver is not None and r.waiver.expires < today)

    @property
    def headline(self) -> str:
        """The first reason against, or a summary when all passed, waivers named."""
        against = [r.message for r in self.results if r.verdict != Verdict.PASS and r.waiver is None]
        if against:
            return against[0] + (f" (and {len(against) - 1} more)" if len(against) > 1 else "")
        passed = f"{len(self.results) - len(self.waived)} gates pass"
        names = [f"{r.gate} by {r.waiver.owner} until {r.waiver.expires}" for r in self.waived if r.waiver]
        return f"{passed}, {len(names)} waived: {'; '.join(names)}" if names else passed


def verdict_of(results: Iterable[GateResult]) -> Verdict:
    """What follows from the results: pass only if each passes, or is inconclusive and waived; none never."""
    worst = None
    for result in results:
        if result.verdict == Verdict.FAIL:
            return Verdict.FAIL
        if result.verdict == Verdict.PASS or (
            result.verdict == Verdict.INCONCLUSIVE and result.waiver is not None
        ):
            worst = worst or Verdict.PASS
        else:
            worst = Verdict.INCONCLUSIVE
    return worst or Verdict.INCONCLUSIVE


def _check_waiver(result: GateResult, waiver: Waiver, candidate: str) -> None:
    if result.verdict != Verdict.INCONCLUSIVE:
        raise ValueError(f"{result.gate}: {result.verdict} is waived, only what is inconclusive can be")
    if waiver.gate != result.gate:
        raise ValueError(f"{result.gate}: the waiver is for gate {waiver.gate}")
    if waiver.candidate != candidate:
        raise ValueError(f"{result.gate}: the waiver is for candidate {waiver.candidate}")
