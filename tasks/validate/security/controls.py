"""The controls that the candidate's threat model demands, each with all of its proofs, looked at again.

findings = control_findings(document, requirements.controls, Surroundings(project, gates, code, tests=True))

`document` is the threat model as the requirements name it by digest, not the file of today.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from infra.config import Project
from infra.config.conditions import Condition
from infra.config.lookup import setting_value
from infra.definitions import missing
from tasks.validate.finding import Finding


@dataclass(frozen=True)
class Surroundings:
    """What the proofs are compared with."""

    project: Project
    gates: Mapping[str, str]
    """Gate rules of today: {name: metric}."""
    code: Path
    """Directory that holds flows/, tasks/ and infra/."""
    tests: bool
    """Whether the tests are there too; without them a test is not looked for."""


def control_findings(
    document: Mapping[str, Any], demanded: Sequence[str], around: Surroundings
) -> tuple[Finding, ...]:
    """One finding for each demanded control; one that the document lacks, or without a proof, fails."""
    listed = document.get("controls")
    controls = {
        str(each.get("key")): each
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    }
    return tuple(
        Finding(name=key, proofs=_proofs(controls.get(key), around) or {"code": "nothing proves it"})
        for key in demanded
    )


def _proofs(control: Mapping[str, Any] | None, around: Surroundings) -> dict[str, str]:
    if control is None:
        return {"code": "the threat model that the requirements name does not hold it"}
    found: dict[str, str] = {}
    if (gate := control.get("gate")) is not None:
        found["gate"] = _gate(str(gate), control.get("metric"), around)
    if (setting := control.get("setting")) is not None:
        found["setting"] = _setting(str(setting), control.get("in_force"), around)
    if (node := control.get("always")) is not None:
        found["code"] = missing(around.code, str(node)) or ""
    if (node := control.get("test")) is not None and around.tests:
        found["test"] = missing(around.code, str(node)) or ""
    return found


def _gate(gate: str, metric: object, around: Surroundings) -> str:
    """Whether the gate passes is for the gate to say; here it has to exist and judge the right thing."""
    if gate not in around.gates:
        return f"the gate policy lacks {gate}"
    got = around.gates[gate]
    return "" if got == metric else f"gate {gate} judges {got}, expected {metric}"


def _setting(name: str, in_force: object, around: Surroundings) -> str:
    try:
        value = setting_value(around.project, name)
        wrong = Condition.model_validate(in_force).fails(value, around.project.path)
    except KeyError:
        return f"there is no setting {name}"
    except ValidationError:
        return f"nothing says which values of {name} put it in force"
    return f"{name}: {wrong}" if wrong else ""
