"""The threat model as it is written: what is worth protecting, where trust ends, what may go wrong.

model = ThreatModel.model_validate(values)      # closed: an unknown key is an error
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.config.conditions import Condition
from tasks.develop.requirements.catalogue import ATLAS, RISKS
from tasks.records.record import Record

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
CodePath = Annotated[
    str, StringConstraints(pattern=r"^(flows|tasks|infra)(/[a-z0-9_]+)+(\.py)?(::[A-Za-z_]\w*)*$")
]
TestId = Annotated[
    str, StringConstraints(pattern=r"^tests(/[a-z0-9_]+)+\.py(::[A-Za-z_]\w*)*::test_\w+(\[[^\]\s]+\])?$")
]


def _known_risk(key: str) -> str:
    if key not in RISKS:
        raise ValueError(f"unknown risk {key!r}, known: {', '.join(RISKS)}")
    return key


def _known_technique(key: str) -> str:
    if key not in ATLAS:
        raise ValueError(f"{key!r} is not in our table of checked ATLAS techniques (catalogue.py)")
    return key


RiskKey = Annotated[str, AfterValidator(_known_risk), Field(json_schema_extra={"enum": sorted(RISKS)})]
AtlasId = Annotated[str, AfterValidator(_known_technique), Field(json_schema_extra={"enum": sorted(ATLAS)})]


class Boundary(Record):
    """An area within which everything is trusted alike; a flow that leaves it crosses a trust boundary."""

    key: Key
    title: Text
    column: int = Field(0, ge=0, le=5, description="where it is drawn: 0 is the leftmost column")


class Element(Record):
    """A box of the data-flow diagram."""

    key: Key
    title: Text
    kind: Literal["actor", "process", "store"]
    boundary: Key = Field(description="key of the boundary that it lies in")


class Asset(Record):
    """What is worth protecting, and where it lies."""

    key: Key
    title: Text
    sensitivity: Literal["high", "medium", "low"]
    held_by: tuple[Key, ...] = Field(min_length=1, description="keys of elements")


class Flow(Record):
    """Data that goes from one element to another."""

    key: Key
    title: Text
    source: Key
    target: Key
    carries: tuple[Key, ...] = Field((), description="keys of assets")


class Waiver(Record):
    """A threat that a person lives with until a day, although nothing is done about it."""

    reason: Text
    owner: Text
    expires: date = Field(description="last day on which it counts (UTC)")


class Accepted(Record):
    """A threat of medium or low severity about which nothing is done, and who said so."""

    reason: Text
    owner: Text


class Threat(Record):
    """What may go wrong, under a key that outlives the editions of the lists it is mapped to."""

    key: Key
    title: Text
    severity: Literal["high", "medium", "low"]
    risk: RiskKey | None = Field(None, description="stable key of the OWASP risk; none: not in that list")
    atlas: tuple[AtlasId, ...] = Field((), description="MITRE ATLAS techniques")
    stride: tuple[Literal["S", "T", "R", "I", "D", "E"], ...] = Field(min_length=1)
    affects: tuple[Key, ...] = Field(min_length=1, description="keys of assets, flows or elements")
    controls: tuple[Key, ...] = ()
    waiver: Waiver | None = None
    accepted: Accepted | None = None


class Control(Record):
    """What is done about threats, and what proves it; every proof that is named must hold."""

    key: Key
    title: Text
    gate: Key | None = Field(None, description="gate rule whose pass proves it")
    metric: Key | None = Field(None, description="metric that this gate must judge")
    setting: str | None = Field(None, description="dotted name of the setting that puts it in force")
    in_force: Condition | None = Field(None, description="values of the setting that put it in force")
    always: CodePath | None = Field(
        None, description="code that enforces it without a switch: a path, and ::name of what is in it"
    )
    test: TestId | None = Field(None, description="test that fails when the control does not hold")

    @model_validator(mode="after")
    def _provable(self) -> Self:
        if not any((self.gate, self.setting, self.always, self.test)):
            raise ValueError("needs a proof: gate, setting, always or test")
        if (self.setting is None) != (self.in_force is None):
            raise ValueError("a setting needs `in_force`: which values put it in force")
        if (self.gate is None) != (self.metric is None):
            raise ValueError("a gate needs `metric`: what it must judge")
        return self


class NotApplicable(Record):
    """A risk of the OWASP list that this system cannot have, and why."""

    risk: RiskKey
    reason: Text


class ThreatModel(Record):
    """The whole file."""

    boundaries: tuple[Boundary, ...] = Field(min_length=1)
    elements: tuple[Element, ...] = Field(min_length=1)
    assets: tuple[Asset, ...] = Field(min_length=1)
    flows: tuple[Flow, ...] = Field(min_length=1)
    threats: tuple[Threat, ...] = Field(min_length=1)
    controls: tuple[Control, ...] = Field(min_length=1)
    not_applicable: tuple[NotApplicable, ...] = ()

    def crossing(self) -> tuple[Flow, ...]:
        """The flows whose ends lie in different boundaries."""
        lies_in = {element.key: element.boundary for element in self.elements}
        return tuple(flow for flow in self.flows if lies_in[flow.source] != lies_in[flow.target])
