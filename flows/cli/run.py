"""`assay run FLOW`: one flow in this process, against the running stack, with progress on a terminal."""

import contextlib
import time
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.environment import enter_stack
from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from infra.workspace import Workspace

_POLL_S = 0.5


class FlowName(StrEnum):
    """Flows that run here; deploy runs in a worker, because it may have to wait for a person."""

    DEVELOP = "develop"
    FINETUNE = "finetune"
    VALIDATE = "validate"
    DEPLOY = "deploy"
    OPERATE = "operate"
    LIFECYCLE = "lifecycle"


def run(
    flow: Annotated[FlowName, typer.Argument(help="What to run.")],
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    wait: Annotated[bool, typer.Option(help="Wait for the deploy run that lifecycle starts.")] = True,
    as_json: Json = False,
) -> None:
    """Run one flow; exit 0 done, 1 malfunction, 2 bad input, 3 blocked or rejected."""
    from infra.stack import endpoints
    from infra.workspace import open_workspace

    with explained(as_json):
        workspace = open_workspace(project, profile)
        running = endpoints(workspace.home)
        enter_stack(workspace.home, running)
        started = time.monotonic()
        with _prefect_answers(running.prefect_api_url):
            if flow == FlowName.DEPLOY:
                state = _deploy_alone(workspace, project, profile)
            else:
                state = _flow(flow)(project=project, profile=profile, return_state=True)
                if flow == FlowName.LIFECYCLE and wait and state.is_completed():
                    state = _await_deploy(workspace)
        _finish(workspace, flow, state, time.monotonic() - started, as_json)


@contextlib.contextmanager
def _prefect_answers(url: str) -> Iterator[None]:
    """Turn Prefect's connection errors, raised after its own retries, into Unavailable."""
    import httpx

    from infra.errors import Unavailable
    from infra.stack import probe

    probe(f"{url}/health")
    try:
        yield
    except httpx.HTTPError as error:
        reason = f"Prefect at {url} does not answer: {type(error).__name__}"
        raise Unavailable(reason, hint="see `assay status`; run again to go on where this stopped") from error


def _flow(name: FlowName) -> Any:
    from importlib import import_module

    return getattr(import_module(f"flows.{name.value}"), name.value)


def _deploy_alone(workspace: "Workspace", project: str, profile: str) -> "State[Any]":
    from flows.start import start_deploy
    from infra.errors import DataError
    from tasks.records import Validated

    validated = workspace.handover.get("validated", Validated)
    if validated is None:
        raise DataError("nothing validated to deploy", hint="run validate first: assay run validate")
    start_deploy.fn(workspace, project, profile, validated)
    return _await_deploy(workspace)


def _await_deploy(workspace: "Workspace") -> "State[Any]":
    """Follow the newest deploy run until it ends or waits for a person."""
    from prefect.client.orchestration import get_client

    from flows.start import deploy_runs
    from infra.errors import Unavailable
    from tasks.records import Validated

    validated = workspace.handover.get("validated", Validated)
    if validated is None:
        raise Unavailable("the deploy run is gone", hint="run again")
    with get_client(sync_client=True) as client:
        runs = deploy_runs(validated.candidate.unit)
        if not runs:
            raise Unavailable("Prefect knows no deploy run for this candidate", hint="run again")
        while True:
            state = client.read_flow_run(runs[0].id).state
            if state is not None and (state.is_final() or state.is_paused()):
                return state
            time.sleep(_POLL_S)


def _finish(
    workspace: "Workspace", flow: FlowName, state: "State[Any]", seconds: float, as_json: bool
) -> None:
    from flows.cli.summary import summarise

    summary = summarise(workspace, flow.value, state, seconds)
    emit(summary.content, as_json=as_json, text=summary.text)
    if summary.exit_code:
        raise typer.Exit(summary.exit_code)
