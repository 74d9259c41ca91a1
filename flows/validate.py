"""Validate: base, candidate and champion on the frozen test split, then the gates' verdict."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.cards import show_candidate
from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from tasks.records import Validated, Verdict
from tasks.validate import steps
from tasks.validate.runner.steps import run_checks


@flow(name="validate", description=__doc__, flow_run_name="validate-{project}-{profile}")
def validate(project: ProjectName = "default", profile: ProfileName = "embedded") -> Validated | State:
    """Measure the candidate and judge it; ends in the state Blocked unless every gate passes."""
    with phase("validate", project, profile) as current:
        candidate = steps.compose_candidate(current.workspace)
        measured = steps.measure(current.workspace, candidate)
        evidence = run_checks(current.workspace, candidate, measured)
        steps.show_fairness(current.workspace, current.run, evidence)
        validated = steps.judge_candidate(current.workspace, current.run, candidate, evidence)
        if validated.report.verdict != Verdict.PASS:
            message = steps.record_block(current.workspace, validated)
            card = show_candidate(current, validated)
            return Failed(name="Blocked", message=f"{message}\ncard: {card}")
        current.workspace.handover.put("validated", validated)
        show_candidate(current, validated)
        return validated
