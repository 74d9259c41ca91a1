"""Deploy: package, sign, verify, approve, roll out, smoke-test, alias; a person's decision suspends it."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Failed

from flows.ask import decide
from flows.cards import show_release
from flows.parameters import ProfileName, ProjectName
from flows.phase import phase
from flows.start import starter_of
from tasks.deploy import steps
from tasks.deploy.approval import Move
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.records import Rollout


@flow(name="deploy", description=__doc__, flow_run_name="deploy-{project}-{profile}")
def deploy(project: ProjectName = "default", profile: ProfileName = "embedded") -> Rollout | State:
    """Bring the newest validated candidate live; ends Rejected when the decision is no."""
    with phase("deploy", project, profile, lock="deploy") as current:
        workspace = current.workspace
        validated = steps.take_validated(workspace, str(flow_run.id))
        release = steps.package_and_sign(workspace, validated)
        show_release(current, release)
        starter = starter_of(flow_run.tags)
        move = steps.advance(workspace, validated, release, starter)
        if move == Move.DECIDE:
            try:
                move = decide(workspace, validated, release, starter)
            except DecisionRefused as refused:
                if refused.code not in (Why.NOBODY_LISTED, Why.WRONG_PROFILE):
                    raise
                # Nobody could answer: not asked, not approved. The release still waits, for other settings.
                return Failed(name="Rejected", message=refused.diagnostics())
        if move not in (Move.ROLL_OUT, Move.SERVE):
            return Failed(name="Rejected", message=steps.explain_refusal(workspace, release))
        if move == Move.ROLL_OUT:
            steps.keep_release(workspace, release)
            steps.stage_release(workspace, current.endpoints, validated, release)
            steps.promote_release(workspace, release)
        rollout = steps.serve_champion(workspace, current.endpoints, validated)
        steps.track_deployment(current.run, validated, release, rollout)
        steps.announce(workspace, release)
        return rollout
