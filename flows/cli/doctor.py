"""`assay doctor`: is everything where the ledger says it is? `--repair` mends the projections."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.environment import enter_stack
from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.workspace import Workspace


@in_project
def doctor(
    call: Call,
    repair: Annotated[bool, typer.Option("--repair", help="Bring routes and aliases to the ledger.")] = False,
) -> None:
    """Explain the state under ASSAY_HOME and check that its parts agree."""
    from tasks.deploy.diagnosis import diagnose

    workspace = call.workspace
    if repair:
        _repair(workspace)
    findings = diagnose(workspace)
    lines = [f"{'ok ' if f.healthy else 'BAD'} {f.part:<10} {f.message}" for f in findings]
    rows = [{"part": f.part, "healthy": f.healthy, "message": f.message} for f in findings]
    call.emit(rows, text="\n".join(lines))
    if not all(finding.healthy for finding in findings):
        raise typer.Exit(1)


def _repair(workspace: "Workspace") -> None:
    from infra.stack import endpoints
    from tasks.deploy.aliases import follow_ledger
    from tasks.deploy.rollout import reconcile
    from tasks.deploy.routes import publish_routes

    running = endpoints(workspace.home)
    enter_stack(workspace.home, running)
    workspace.ledger.verify()
    if workspace.state().champion is not None:
        reconcile(workspace, running)
    else:
        publish_routes(workspace)
    follow_ledger(workspace)
