"""Deploy: package, sign, verify, approve, roll out, smoke-test, alias; a person's decision suspends it."""

from typing import Literal

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from prefect.runtime import flow_run
from prefect.states import Failed
from pydantic import Field

from flows.cards import show_release
from flows.parameters import ProfileName, ProjectName
from flows.phase import Phase, phase
from infra.digest import hex_of
from tasks.deploy import steps
from tasks.deploy.approval import Move
from tasks.records import Decision, Release, Rollout


class ApprovalForm(RunInput):
    """What the UI asks the release manager."""

    approver: str = Field(min_length=1, description="your name, as in approval.approvers")
    decision: Literal["approve", "reject"] = Field(description="what you decide")
    reason: str = Field(min_length=3, description="why, for the ledger")


@flow(name="deploy", description=__doc__, flow_run_name="deploy-{project}-{profile}")
def deploy(project: ProjectName = "default", profile: ProfileName = "embedded") -> Rollout | State:
    """Bring the newest validated candidate live; ends Rejected when the decision is no."""
    with phase("deploy", project, profile, lock="deploy") as current:
        workspace = current.workspace
        validated = steps.take_validated(workspace, str(flow_run.id))
        release = steps.package_and_sign(workspace, validated)
        show_release(current, release)
        move = steps.advance(workspace, validated, release)
        if move == Move.DECIDE:
            _decide(current, release)
            move = steps.advance(workspace, validated, release)
        if move == Move.REFUSE:
            return Failed(name="Rejected", message=steps.explain_refusal(workspace, release))
        if move == Move.ROLL_OUT:
            steps.keep_release(workspace, release)
            steps.stage_release(workspace, current.endpoints, validated, release)
            steps.promote_release(workspace, release)
        rollout = steps.serve_champion(workspace, current.endpoints, validated)
        steps.track_deployment(current.run, validated, release, rollout)
        steps.announce(workspace, release)
        return rollout


def _decide(current: Phase, release: Release) -> None:
    workspace = current.workspace
    if workspace.project.approval.policy == "auto":
        steps.decide_automatically(workspace, release)
        return
    steps.ask_for_decision(workspace, release)
    # The process ends here and a new one starts when somebody answers: all before must be repeatable.
    form = suspend_flow_run(
        wait_for_input=ApprovalForm.with_initial_data(description=steps.decision_text(workspace, release)),
        timeout=workspace.project.approval.timeout_s,
        key=f"approval-{hex_of(release.digest)[:16]}-{workspace.state().head}",
    )
    decision = Decision(
        release=release.digest,
        decision="approved" if form.decision == "approve" else "rejected",
        approver=form.approver,
        policy="person",
        reason=form.reason,
    )
    steps.record_person(workspace, decision)
