"""Lifecycle: develop, fine-tune, validate, then deploy as a run of its own; what runs every night."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.develop import develop
from flows.finetune import finetune
from flows.parameters import ProfileName, ProjectName
from flows.start import start_deploy
from flows.validate import validate
from infra.locks import hold
from infra.workspace import open_workspace
from tasks.records import Validated


@flow(name="lifecycle", description=__doc__, flow_run_name="lifecycle-{project}-{profile}")
def lifecycle(project: ProjectName = "default", profile: ProfileName = "embedded") -> Validated | State:
    """From raw data to a started deploy; ends in the state Blocked when a gate does not pass."""
    workspace = open_workspace(project, profile)
    name = workspace.project.name
    with hold(workspace.run, f"lifecycle-{name}", f"lifecycle of {name}"):
        develop(project, profile)
        finetune(project, profile)
        state = validate(project, profile, return_state=True)
        if state.name == "Blocked":
            return Failed(name="Blocked", message=state.message)
        validated = state.result()
        if isinstance(validated, Validated):
            start_deploy(workspace, project, profile, validated)
        return validated
