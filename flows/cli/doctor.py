"""`assay doctor`: is everything where the ledger says it is? `--repair` mends the projections."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.environment import enter_stack
from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

if TYPE_CHECKING:
    from infra.workspace import Workspace


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Bring routes and aliases to the ledger.")] = False,
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """Explain the state under ASSAY_HOME and check that its parts agree."""
    from infra.workspace import open_workspace
    from tasks.deploy.diagnosis import diagnose

    with explained(as_json):
        workspace = open_workspace(project, profile)
        if repair:
            _repair(workspace)
        findings = diagnose(workspace)
        lines = [f"{'ok ' if f.healthy else 'BAD'} {f.part:<10} {f.message}" for f in findings]
        rows = [{"part": f.part, "healthy": f.healthy, "message": f.message} for f in findings]
        emit(rows, as_json=as_json, text="\n".join(lines))
        if not all(finding.healthy for finding in findings):
            raise typer.Exit(1)


def _repair(workspace: "Workspace") -> None:
    from infra.stack import endpoints
    from tasks.deploy.aliases import move_aliases
    from tasks.deploy.rollout import reconcile

    running = endpoints(workspace.home)
    enter_stack(workspace.home, running)
    workspace.ledger.verify()
    if workspace.state().champion is not None:
        move_aliases(workspace, reconcile(workspace, running))
