"""Fine-tune: the chosen base learns the prepared data; a killed run goes on at its last checkpoint."""

from prefect import flow

from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from tasks.finetune import steps
from tasks.records import TrainedAdapter


@flow(name="finetune", description=__doc__, flow_run_name="finetune-{project}-{profile}")
def finetune(project: ProjectName = "default", profile: ProfileName = "embedded") -> TrainedAdapter:
    """Train the adapter for what develop handed over, unless exactly this adapter exists."""
    with phase("finetune", project, profile) as current:
        developed = steps.take_developed(current.workspace)
        adapter = steps.train_adapter(current.workspace, current.run, developed)
        current.workspace.handover.put("adapter", adapter)
        return adapter
