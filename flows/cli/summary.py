"""The last lines of `assay run`: what happened, in one line that a script and a person can read."""

from dataclasses import dataclass
from typing import Any

from infra.digest import hex_of
from infra.errors import AssayError
from infra.workspace import Workspace
from tasks.records import Validated

_VERDICTS = ("Blocked", "Rejected", "Breached")


@dataclass(frozen=True)
class Summary:
    """What to print, and the exit code."""

    text: str
    content: dict[str, Any]
    exit_code: int


def summarise(workspace: Workspace, flow: str, state: Any, seconds: float) -> Summary:
    """The outcome of a flow run: a pass, a verdict against (exit 3), or a crash (exit 1 or 2)."""
    content: dict[str, Any] = {
        "flow": flow,
        "project": workspace.project.name,
        "state": state.name,
        "message": state.message,
        "seconds": round(seconds, 1),
    }
    if state.name in _VERDICTS:
        content |= _blocked_card(state.message)
        text = f"{state.name}: {state.message}\nASSAY RUN: {state.name.upper()} {flow} in {seconds:.0f} s"
        return Summary(text, content, 3)
    if state.is_paused():
        return _waiting(workspace, content)
    if not state.is_completed():
        return _crashed(flow, state, content)
    if flow in ("lifecycle", "deploy"):
        return _promoted(workspace, content, seconds)
    return Summary(f"ASSAY RUN: DONE {flow} in {seconds:.0f} s", content, 0)


def _blocked_card(message: str) -> dict[str, str]:
    """The path of the candidate's card, which the flow names in the last line of its message."""
    _, mark, place = (message or "").rpartition("\ncard: ")
    return {"card": place.partition(" (shown")[0]} if mark and not place.startswith("none") else {}


def _waiting(workspace: Workspace, content: dict[str, Any]) -> Summary:
    waiting = [r.release for r in workspace.state().releases.values() if r.state == "awaiting-approval"]
    release = waiting[-1] if waiting else "?"
    hint = f"assay release approve {release} --reason … (or the form in the Prefect UI)"
    text = f"ASSAY RUN: WAITING release={release} card={_card(workspace, release)}\n  → {hint}"
    return Summary(text, {**content, "release": release, "outcome": "waiting"}, 0)


def _crashed(flow: str, state: Any, content: dict[str, Any]) -> Summary:
    error = state.result(raise_on_failure=False) if state.data is not None else None
    reason = error.diagnostics() if isinstance(error, AssayError) else (state.message or str(error))
    code = error.exit_code if isinstance(error, AssayError) else 1
    text = f"error: {reason}\nASSAY RUN: CRASHED {flow} ({state.name})"
    return Summary(text, {**content, "error": reason}, code)


def _promoted(workspace: Workspace, content: dict[str, Any], seconds: float) -> Summary:
    from infra.stack import endpoints

    champion = workspace.state().champion
    validated = workspace.handover.get("validated", Validated)
    if champion is None or validated is None:
        return Summary("ASSAY RUN: CRASHED no champion after deploy", content, 1)
    figures = accuracies(workspace, validated)
    card, gateway = _card(workspace, champion), endpoints(workspace.home).gateway_url
    fields = {"release": champion, **figures, "card": card, "gateway": gateway}
    line = " ".join(f"{key}={value}" for key, value in fields.items())
    text = f"{validated.report.headline}; {seconds:.0f} s\nASSAY RUN: PASS {line}"
    return Summary(text, {**content, **fields, "outcome": "pass"}, 0)


def accuracies(workspace: Workspace, validated: Validated) -> dict[str, str]:
    """Accuracy of the candidate and of its base, as measured on the frozen test split."""
    from tasks.records import EvidenceSet

    evidence = EvidenceSet.model_validate_json(workspace.store.get_bytes(validated.evidence))
    values = {item.metric: f"{item.value:.3f}" for item in evidence.evidence}
    return {"accuracy": values.get("accuracy", "?"), "base": values.get("base_accuracy", "?")}


def _card(workspace: Workspace, release: str) -> str:
    return str(workspace.releases / hex_of(release) / "card.html") if release.startswith("sha256:") else "?"
