"""Everything that must hold of a threat model before anything is built on it; each problem with its line.

problems = find_problems(model, source, surroundings)      # empty, or what to mend
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra.config import Project
from infra.config.lookup import setting_value
from infra.config.source import Location, Source
from infra.definitions import missing
from tasks.develop.requirements.catalogue import RISKS
from tasks.develop.requirements.model import Control, Threat, ThreatModel

_SETTINGS = "dotted names of the project's settings: see configs/schema/project.schema.json"
_WAIVER = "add a control, or a waiver with reason, owner and expires"


@dataclass(frozen=True)
class Surroundings:
    """What the model's claims are compared with."""

    project: Project
    gates: Mapping[str, str]
    """Gate rules of the project: {name: metric}."""
    code: Path
    """Directory that holds flows/, tasks/ and infra/."""
    tests: bool
    """Whether the tests are there too; without them a test id only has to be well-formed."""
    today: date


@dataclass(frozen=True)
class Problem:
    """One thing to mend."""

    where: str
    message: str
    hint: str = ""
    subject: str = ""
    """Key of the threat or control at fault."""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def find_problems(model: ThreatModel, source: Source, around: Surroundings) -> list[Problem]:
    """All problems, in the order of their importance; pure but for reading the files that are named."""
    found = list(_keys(model, source))
    if not found:  # what follows looks names up
        found += _references(model, source)
    if not found:
        found += _coverage(model, source)
    for number, threat in enumerate(model.threats):
        found += _threat(threat, source.where(("threats", number)), around.today)
    for number, control in enumerate(model.controls):
        found += _proofs(control, source.where(("controls", number)), around)
    return found


def _keys(model: ThreatModel, source: Source) -> Iterator[Problem]:
    """Keys are unique: those of what can be affected in all three lists together."""
    places: tuple[tuple[str, ...], ...] = (
        ("elements", "assets", "flows"),
        ("boundaries",),
        ("threats",),
        ("controls",),
    )
    for parts in places:
        seen: set[str] = set()
        for part in parts:
            for number, item in enumerate(getattr(model, part)):
                if item.key in seen:
                    yield Problem(source.where((part, number)), f"key {item.key!r} is used twice")
                seen.add(item.key)


def _references(model: ThreatModel, source: Source) -> Iterator[Problem]:
    boundaries = {each.key for each in model.boundaries}
    elements = {each.key for each in model.elements}
    assets = {each.key for each in model.assets}
    things = elements | assets | {each.key for each in model.flows}
    named: list[tuple[Location, str, tuple[str, ...], set[str]]] = []
    for number, element in enumerate(model.elements):
        named.append((("elements", number), "boundary", (element.boundary,), boundaries))
    for number, asset in enumerate(model.assets):
        named.append((("assets", number), "element", asset.held_by, elements))
    for number, flow in enumerate(model.flows):
        named.append((("flows", number), "element", (flow.source, flow.target), elements))
        named.append((("flows", number), "asset", flow.carries, assets))
    for number, threat in enumerate(model.threats):
        named.append((("threats", number), "asset, flow or element", threat.affects, things))
        named.append((("threats", number), "control", threat.controls, {c.key for c in model.controls}))
    for location, kind, keys, known in named:
        for key in keys:
            if key not in known:
                yield Problem(
                    source.where(location), f"names the unknown {kind} {key!r}", f"known: {_list(known)}"
                )


def _coverage(model: ThreatModel, source: Source) -> Iterator[Problem]:
    """Nothing that matters is left out: crossing flows, sensitive assets, risks, controls."""
    affected = {key for threat in model.threats for key in threat.affects}
    crossing = {flow.key for flow in model.crossing()}
    for number, flow in enumerate(model.flows):
        if flow.key in crossing and flow.key not in affected:
            yield Problem(
                source.where(("flows", number)),
                f"flow {flow.key!r} crosses a trust boundary and no threat considers it",
                "name it under `affects` of a threat",
            )
    for number, asset in enumerate(model.assets):
        if asset.sensitivity == "high" and asset.key not in affected:
            yield Problem(source.where(("assets", number)), f"no threat considers the asset {asset.key!r}")
    used = {key for threat in model.threats for key in threat.controls}
    for number, control in enumerate(model.controls):
        if control.key not in used:
            yield Problem(
                source.where(("controls", number)),
                f"control {control.key!r} answers no threat",
                "name it in a threat, or remove it",
            )
    told = Counter([t.risk for t in model.threats if t.risk] + [n.risk for n in model.not_applicable])
    for risk in RISKS:
        if told[risk] == 0:
            yield Problem(
                source.where(("threats",)),
                f"no threat belongs to the risk {risk!r}",
                "add a threat, or say under not_applicable why this system cannot have it",
            )
    for number, away in enumerate(model.not_applicable):
        if any(threat.risk == away.risk for threat in model.threats):
            where = source.where(("not_applicable", number))
            yield Problem(where, f"risk {away.risk!r} is not applicable and has a threat")


def _threat(threat: Threat, where: str, today: date) -> Iterator[Problem]:
    """Something is done about it, or a person lives with it; fails closed whatever the severity."""
    name = f"{threat.severity} threat {threat.key!r}"

    def problem(message: str, hint: str) -> Problem:
        return Problem(where, f"{name}{message}", hint, threat.key)

    if threat.waiver is not None and threat.waiver.expires < today:
        yield problem(f": its waiver expired on {threat.waiver.expires}", "add a control, or decide again")
    if threat.accepted is not None and threat.severity == "high":
        yield problem(" is accepted without an end", _WAIVER)
    elif threat.accepted is not None and (threat.controls or threat.waiver):
        yield problem(" is accepted although something is done about it", "remove `accepted`")
    elif not (threat.controls or threat.waiver or threat.accepted):
        hint = _WAIVER if threat.severity == "high" else f"{_WAIVER}, or `accepted` with reason and owner"
        yield problem(" has neither a control nor a waiver", hint)


def _proofs(control: Control, where: str, around: Surroundings) -> Iterator[Problem]:
    def problem(message: str, hint: str = "") -> Problem:
        return Problem(where, f"control {control.key!r}{message}", hint, control.key)

    gates, code = around.gates, around.code
    if control.gate is not None and control.gate not in gates:
        yield problem(f" names the unknown gate {control.gate!r}", f"gates: {_list(gates)}")
    elif control.gate is not None and gates[control.gate] != control.metric:
        yield problem(f": gate {control.gate!r} judges {gates[control.gate]}, expected {control.metric}")
    if control.setting is not None and control.in_force is not None:
        try:
            value = setting_value(around.project, control.setting)
        except KeyError:
            yield problem(f" names the unknown setting {control.setting!r}", _SETTINGS)
        else:
            if reason := control.in_force.fails(value, around.project.path):
                yield problem(f" is not in force: {control.setting}: {reason}")
    if control.always is not None and (reason := missing(code, control.always)):
        yield problem(f": {reason}", "name the code that enforces it")
    if control.test is not None and around.tests and (reason := missing(code, control.test)):
        yield problem(f": {reason}", "name the test that fails when the control does not hold")


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
