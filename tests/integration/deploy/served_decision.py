"""The part of deploy that asks, served as a deployment of its own: `python served_decision.py`."""

from prefect import flow

from flows.ask import decide
from infra.workspace import open_workspace
from tasks.deploy import steps
from tasks.deploy.approval import Move
from tasks.records import Release, Validated


@flow(name="decision", persist_result=True)
def decision() -> str:
    """What follows from the decision about the release on the shelf."""
    workspace = open_workspace("default", "production")
    validated = workspace.handover.get("validated", Validated)
    release = workspace.handover.get("release", Release)
    assert validated is not None
    assert release is not None
    move = steps.advance(workspace, validated, release, "night")
    if move == Move.DECIDE:
        move = decide(workspace, validated, release, "night")
    return str(move)


if __name__ == "__main__":
    decision.serve("decision", pause_on_shutdown=False)
