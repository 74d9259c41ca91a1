"""Start deploy as an independent run: only a top-level, deployment-backed run can wait for a person."""

from collections.abc import Sequence
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.deployments import run_deployment

from infra.digest import hex_of
from infra.ledger import local_actor
from infra.workspace import Workspace
from tasks.records import Validated

_STARTER = "by:"


def deploy_tag(unit: str) -> str:
    """The tag that finds the deploy runs of one unit."""
    return f"unit:{hex_of(unit)[:16]}"


def starter_tag(account: str) -> str:
    """The tag that says who started a run which goes on in a worker, under the worker's own account."""
    return f"{_STARTER}{account}"


def starter_of(tags: Sequence[str]) -> str:
    """The account that started a run: as its tag says, else that of this process.

    Prefect's own server records no person for what is started in its UI: then it is the worker's account.
    """
    named = [tag.removeprefix(_STARTER) for tag in tags if tag.startswith(_STARTER)]
    return named[0] if named else local_actor()


def deploy_runs(unit: str) -> list[FlowRun]:
    """All deploy runs of a unit, the newest first."""
    with get_client(sync_client=True) as client:
        return client.read_flow_runs(
            flow_run_filter=FlowRunFilter(tags=FlowRunFilterTags(all_=[deploy_tag(unit)])),
            sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        )


@task(name="start-deploy", cache_policy=NO_CACHE, persist_result=False)
def start_deploy(workspace: Workspace, project: str, profile: str, validated: Validated) -> str:
    """The id of the deploy run for this unit: one that is under way or waits for a person, else a new one."""
    unit = validated.candidate.unit
    known = deploy_runs(unit)
    for run in known:
        if run.state is not None and not run.state.is_final():
            return str(run.id)
    # The number of earlier runs is in the key: a crashed one may be followed, a double start may not.
    key = f"{workspace.project.name}-{profile}-{hex_of(unit)}-{len(known)}"
    parameters: dict[str, Any] = {"project": project, "profile": profile}
    started = run_deployment(
        "deploy/deploy",
        parameters=parameters,
        timeout=0,
        as_subflow=False,
        idempotency_key=key,
        tags=[deploy_tag(unit), starter_tag(local_actor())],
    )
    return str(started.id)  # type: ignore[union-attr]  # awaited by Prefect itself in synchronous code
