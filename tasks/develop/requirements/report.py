"""The threat model as rows for people and programs: what answers each threat, and whether it holds.

report = threat_report(project, model, problems)
report["threats"][0]["state"]        # "controlled", "waived until …", "accepted by …", "open"
"""

from collections.abc import Sequence
from typing import Any

from infra.config import Project
from tasks.develop.requirements.catalogue import ATLAS, STRIDE, owasp
from tasks.develop.requirements.checks import Problem
from tasks.develop.requirements.model import Control, Threat, ThreatModel

_RANK = {"high": 0, "medium": 1, "low": 2}


def threat_report(project: Project, model: ThreatModel, problems: Sequence[Problem]) -> dict[str, Any]:
    """Plain JSON values, threats by severity."""
    failing = {problem.subject for problem in problems}
    threats = sorted(model.threats, key=lambda threat: (_RANK[threat.severity], threat.key))
    return {
        "project": project.name,
        "title": project.title,
        "headline": headline(model, problems),
        "threats": [_threat(threat, failing) for threat in threats],
        "controls": [_control(control, failing) for control in model.controls],
        "flows": [_flow(model, number) for number in range(len(model.flows))],
        "not_applicable": [
            {"risk": each.risk, "owasp": owasp(each.risk), "reason": each.reason}
            for each in model.not_applicable
        ],
        "problems": [{"where": p.where, "message": p.message, "hint": p.hint} for p in problems],
    }


def headline(model: ThreatModel, problems: Sequence[Problem]) -> str:
    """The answer in one line."""
    open_ends = [t for t in model.threats if t.waiver or t.accepted]
    found = (
        f"{len(model.threats)} threats, {len(model.controls)} controls, {len(open_ends)} waived or accepted"
    )
    return f"{found}: {'all proofs hold' if not problems else f'{len(problems)} to mend'}"


def as_text(report: dict[str, Any]) -> str:
    """One line a threat, then what is to be mended."""
    lines = [report["headline"]]
    for each in report["threats"]:
        lines.append(
            f"{each['severity']:<7}{each['key']:<24}{each['state']:<14}{', '.join(each['controls'])}"
        )
    lines += [f"  {each['where']}: {each['message']}" for each in report["problems"]]
    return "\n".join(lines)


def _threat(threat: Threat, failing: set[str]) -> dict[str, Any]:
    return {
        "key": threat.key,
        "title": threat.title,
        "severity": threat.severity,
        "risk": threat.risk,
        "owasp": owasp(threat.risk),
        "atlas": {technique: ATLAS[technique] for technique in threat.atlas},
        "stride": [STRIDE[letter] for letter in threat.stride],
        "affects": list(threat.affects),
        "controls": list(threat.controls),
        "state": _state(threat, failing),
        "remark": _remark(threat),
    }


def _state(threat: Threat, failing: set[str]) -> str:
    if threat.key in failing or failing & set(threat.controls):
        return "open"
    if threat.waiver is not None:
        return f"until {threat.waiver.expires}"
    return "accepted" if threat.accepted is not None else "controlled"


def _remark(threat: Threat) -> str:
    lives_with = threat.waiver or threat.accepted
    return f"{lives_with.owner}: {lives_with.reason}" if lives_with else ""


def _control(control: Control, failing: set[str]) -> dict[str, Any]:
    proofs = {
        "gate": f"{control.gate} judges {control.metric}" if control.gate else None,
        "setting": f"{control.setting} {_condition(control)}" if control.setting else None,
        "code": control.always,
        "test": control.test,
    }
    return {
        "key": control.key,
        "title": control.title,
        "proofs": {kind: proof for kind, proof in proofs.items() if proof},
        "holds": control.key not in failing,
    }


def _condition(control: Control) -> str:
    if control.in_force is None:
        return ""
    ((name, value),) = control.in_force.model_dump(mode="json", exclude_unset=True).items()
    shown = ", ".join(map(str, value)) if isinstance(value, list) else value
    return f"{name.replace('_', ' ')} {shown}"


def _flow(model: ThreatModel, number: int) -> dict[str, Any]:
    flow = model.flows[number]
    return {
        "number": number + 1,
        "key": flow.key,
        "title": flow.title,
        "source": flow.source,
        "target": flow.target,
        "carries": list(flow.carries),
        "crosses": flow in model.crossing(),
        "threats": [threat.key for threat in model.threats if flow.key in threat.affects],
    }
