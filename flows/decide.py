"""Answer a deploy run that waits for a person, by the same call that the form in the UI makes."""

from prefect.client.orchestration import get_client

from flows.start import deploy_runs
from infra.digest import hex_of
from infra.errors import DataError, Unavailable
from infra.workspace import Workspace


def answer_waiting_run(
    workspace: Workspace, release: str, *, approver: str, decision: str, reason: str
) -> str:
    """Resume the suspended deploy run of a release; returns its id.

    Raises DataError when no run waits for this release or the form is refused, Unavailable when Prefect
    does not answer.
    """
    unit = workspace.state().releases[release].details.get("unit") or _unit(workspace, release)
    waiting = [run for run in deploy_runs(unit) if run.state is not None and run.state.is_paused()]
    if not waiting:
        raise DataError(
            f"no deploy run waits for {hex_of(release)[:12]}", hint="start it again: assay run deploy"
        )
    form = {"approver": approver, "decision": decision, "reason": reason}
    with get_client(sync_client=True) as client:
        answer = client.resume_flow_run(waiting[0].id, run_input=form)
    # Prefect answers 200 to a form that it refuses: the status tells.
    if answer.status.value != "ACCEPT":
        detail = getattr(answer.details, "reason", "") or answer.status.value
        raise (Unavailable if answer.status.value == "WAIT" else DataError)(
            f"the decision was refused: {detail}"
        )
    return str(waiting[0].id)


def _unit(workspace: Workspace, release: str) -> str:
    import json

    return str(json.loads((workspace.releases / hex_of(release) / "release.json").read_bytes())["unit"])
