"""Rollback: the previous champion serves again, in seconds; a button of its own in the UI."""

from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.parameters import ProfileName, ProjectName
from infra.locks import hold
from infra.logs import redact_logs
from infra.stack import endpoints
from infra.workspace import open_workspace
from tasks.deploy import steps
from tasks.deploy.rollback import LOCK_WAIT_S
from tasks.records import Rollout


@flow(name="rollback", description=__doc__, flow_run_name="rollback-{project}")
def rollback(
    reason: Annotated[str, Field(min_length=3, description="why, for the ledger")],
    actor: Annotated[str, Field(min_length=1, description="your name")],
    project: ProjectName = "default",
    profile: ProfileName = "embedded",
) -> Rollout:
    """Restore the release that was champion before."""
    redact_logs()
    workspace = open_workspace(project, profile)
    with hold(workspace.run, f"deploy-{workspace.project.name}", "rollback", wait_s=LOCK_WAIT_S):
        rollout = steps.restore_previous(workspace, endpoints(workspace.home), actor, reason)
        steps.project_to_registry(workspace, rollout)
        return rollout
