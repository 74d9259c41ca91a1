"""What the threat model demands of a release, and what of it is not met.

unmet(requirements, metrics={"accuracy-floor": "accuracy"}, judged={"accuracy-floor"}, today=today)
"""

from collections.abc import Collection, Mapping
from datetime import date

from pydantic import Field

from tasks.records.evidence import GateResult, Verdict
from tasks.records.record import Digest, Record


class Waived(Record):
    """A threat that a person lives with until a day."""

    threat: str
    owner: str
    expires: date = Field(description="last day on which it counts (UTC)")


class SecurityRequirements(Record):
    """The controls that the threat model demands, pinned by digest."""

    digest: Digest = Field(
        description="digest of the threat model in canonical JSON, as it lies in the store"
    )
    source: Digest | None = Field(None, description="digest of the threat model's file, comments and all")
    controls: tuple[str, ...] = Field(description="keys of required controls")
    gates: tuple[str, ...] = Field(description="gate rules that the controls demand")
    metrics: dict[str, str] = Field({}, description="metric that a demanded gate must judge, by gate")
    settings: dict[str, Digest] = Field({}, description="demanded settings: digest of the value, by name")
    waived: tuple[Waived, ...] = Field((), description="threats accepted until a day")
    risks: tuple[str, ...] = Field((), description="stable keys of the risks that the threats belong to")


def unmet(
    requirements: SecurityRequirements,
    *,
    metrics: Mapping[str, str],
    judged: Collection[str],
    not_applicable: Collection[str] = (),
    settings: Mapping[str, str] | None = None,
    source: str | None = None,
    today: date,
) -> tuple[GateResult, ...]:
    """A failing result for everything that the requirements demand and this validation does not give.

    `metrics` is the gate policy as {gate: metric}; `judged` names the gates that have a result, and
    `not_applicable` those that rightly have none (they compare with a champion, and there is none).
    `settings` and `source`, when given, are the digests of today's values of the demanded settings and of
    the threat model's file. Pure.
    """
    found = _gates(requirements, metrics, {*judged, *not_applicable})
    if settings is not None:
        for name, digest in sorted(requirements.settings.items()):
            if settings.get(name) != digest:
                found[f"setting {name}"] = (
                    "the security requirements demand this setting, it was changed since"
                )
    if source is not None and source != requirements.source:
        found["security requirements"] = "the threat model was changed since develop read it"
    for waiver in requirements.waived:
        if waiver.expires < today:
            found[f"waiver for {waiver.threat}"] = f"{waiver.owner}'s waiver expired on {waiver.expires}"
    return tuple(_failing(name, reason) for name, reason in found.items())


def _gates(
    requirements: SecurityRequirements, metrics: Mapping[str, str], accounted: Collection[str]
) -> dict[str, str]:
    """Why a demanded gate does not count, by gate."""
    found: dict[str, str] = {}
    demand = "the security requirements demand this gate"
    for gate in requirements.gates:
        wanted = requirements.metrics.get(gate)
        if gate not in metrics:
            found[gate] = f"{demand}, the gate policy lacks it"
        elif wanted is not None and metrics[gate] != wanted:
            found[gate] = f"{demand} to judge {wanted}, it judges {metrics[gate]}"
        elif gate not in accounted:
            found[gate] = f"{demand}, it was not judged"
    return found


def _failing(name: str, reason: str) -> GateResult:
    return GateResult(
        gate=name,
        metric="none",
        statistic="none",
        verdict=Verdict.FAIL,
        message=f"{name}: {reason}: fails",
        severity="critical",
    )
