"""Develop: data, prompt, base model and security requirements become versions with digests."""

from prefect import flow

from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from tasks.develop import steps
from tasks.develop.quality import quality_evidence
from tasks.records import Developed


@flow(name="develop", description=__doc__, flow_run_name="develop-{project}-{profile}")
def develop(project: ProjectName = "default", profile: ProfileName = "embedded") -> Developed:
    """Prepare everything that fine-tune needs; running again with nothing changed costs seconds."""
    with phase("develop", project, profile) as current:
        dataset = steps.prepare_data(current.workspace, current.run)
        examples = steps.curate(current.workspace, dataset)
        base = steps.choose_base_model(current.workspace, current.run, dataset, examples)
        prompt = steps.register_prompt(
            current.workspace, current.endpoints, current.run, dataset, base, examples
        )
        developed = Developed(
            dataset=dataset,
            prompt=prompt,
            base=base,
            requirements=steps.define_requirements(current.workspace, current.run),
            examples=examples,
            evidence=quality_evidence(dataset),
            run_id=current.run.id,
        )
        steps.track_development(current.run, developed)
        current.workspace.handover.put("developed", developed)
        return developed
