"""Every deployment of Assay: what the UI can start, and what runs at night.

apply_deployments(project)      # idempotent; needs PREFECT_API_URL
"""

from typing import TYPE_CHECKING, Any

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.deployments.runner import RunnerDeployment
from prefect.types.entrypoint import EntrypointType

from infra.config import Project

if TYPE_CHECKING:
    from prefect import Flow
    from prefect.schedules import Schedule

POOL = "assay"


def deployments(project: Project) -> list[RunnerDeployment]:
    """All deployments, by module path, so that they do not depend on a working directory."""
    from prefect.schedules import Cron

    from flows.deploy import deploy
    from flows.develop import develop
    from flows.finetune import finetune
    from flows.lifecycle import lifecycle
    from flows.operate import operate
    from flows.rollback import rollback
    from flows.validate import validate

    night = Cron(project.schedule.cron, timezone=project.schedule.timezone)
    return [
        _deployment(lifecycle, "nightly", night),
        _deployment(develop, "develop"),
        _deployment(finetune, "finetune"),
        _deployment(validate, "validate"),
        _deployment(deploy, "deploy"),
        _deployment(operate, "operate"),
        _deployment(rollback, "rollback"),
    ]


def _deployment(flow: "Flow[..., Any]", name: str, schedule: "Schedule | None" = None) -> RunnerDeployment:
    limit = (
        ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
        if schedule
        else None
    )
    return RunnerDeployment.from_flow(
        flow,
        name=name,
        schedule=schedule,
        concurrency_limit=limit,
        work_pool_name=POOL,
        tags=["assay"],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def apply_deployments(project: Project) -> list[str]:
    """Create or update all deployments; returns their names."""
    names = []
    for deployment in deployments(project):
        deployment.apply()
        names.append(f"{deployment.flow_name}/{deployment.name}")
    return names
