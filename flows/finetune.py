"""Fine-tune: attested machine, screened rows, a trained and attacked adapter, proof of how it came to be."""

from prefect import flow

from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from tasks.finetune import steps
from tasks.records import FineTuned


@flow(name="finetune", description=__doc__, flow_run_name="finetune-{project}-{profile}")
def finetune(project: ProjectName = "default", profile: ProfileName = "embedded") -> FineTuned:
    """Train the adapter for what develop handed over, unless exactly this adapter exists."""
    with phase("finetune", project, profile) as current:
        workspace, run = current.workspace, current.run
        developed = steps.take_developed(workspace)
        environment = steps.attest(workspace, run, developed)
        screened = steps.screen(workspace, run, developed)
        adapter = steps.train_adapter(workspace, run, developed, screened, environment)
        robustness = steps.test_robustness(workspace, run, developed, adapter)
        provenance = steps.record_provenance(workspace, run, developed, adapter)
        return steps.hand_over(workspace, developed, screened, adapter, provenance, robustness)
