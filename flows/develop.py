"""Develop: data, prompt, base model and security requirements become versions with digests."""

from prefect import flow

from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from tasks.develop import steps
from tasks.records import Developed


@flow(name="develop", description=__doc__, flow_run_name="develop-{project}-{profile}")
def develop(project: ProjectName = "default", profile: ProfileName = "embedded") -> Developed:
    """Prepare everything that fine-tune needs; running again with nothing changed costs seconds."""
    with phase("develop", project, profile) as current:
        dataset = steps.prepare_data(current.workspace)
        prompt = steps.register_prompt(current.workspace, current.endpoints, dataset)
        base = steps.choose_base_model(current.workspace)
        requirements = steps.define_requirements(current.workspace)
        developed = Developed(dataset=dataset, prompt=prompt, base=base, requirements=requirements)
        steps.track_development(current.run, developed)
        current.workspace.handover.put("developed", developed)
        return developed
