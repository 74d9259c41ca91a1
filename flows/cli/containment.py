"""`assay release quarantine`: take a release out of service for good."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.environment import enter_stack
from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.stack import Endpoints
    from infra.workspace import Workspace


@in_project
def quarantine(
    call: Call,
    release: Annotated[str, typer.Argument(help="Release digest, the start of its digits, or `champion`.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; goes into the ledger.")],
    person: Annotated[
        str | None, typer.Option("--as", help="Who decides; default: you on this machine.")
    ] = None,
) -> None:
    """Never serve this release again; the one before it serves instead. Works with the services down."""
    from flows.cli.release import resolve
    from infra.errors import ConfigError
    from infra.ledger import local_actor
    from infra.locks import hold
    from tasks.deploy.containment import contain
    from tasks.deploy.rollback import LOCK_WAIT_S

    if len(reason.strip()) < 3:
        raise ConfigError("a quarantine needs a reason", hint="--reason 'why'")
    workspace = call.workspace
    digest = resolve(workspace.state(), release)
    running = _running(workspace)
    name = f"deploy-{workspace.project.name}"
    with hold(workspace.run, name, "assay release quarantine", wait_s=LOCK_WAIT_S):
        found = contain(workspace, running, digest, actor=person or local_actor(), reason=reason)
        lagging = _follow(workspace) if running is not None else "the services do not run"
    lines = [f"in quarantine: {digest}"]
    lines += [f"of the same unit, in quarantine too: {each}" for each in found.alike]
    lines.append(f"serves now: {found.champion or 'nothing'}")
    if found.champion is not None and _same_unit(workspace, found.champion, digest):
        lines.append("that is of the same unit\n  → assay release quarantine champion --reason …")
    if found.not_restored:
        lines.append(f"the release before it does not serve again: {found.not_restored}")
    if lagging:
        lines.append(f"MLflow aliases lag behind: {lagging}\n  → assay doctor --repair")
    call.emit({**found.model_dump(mode="json"), "aliases": lagging or "moved"}, text="\n".join(lines))


def _same_unit(workspace: "Workspace", champion: str, release: str) -> bool:
    from tasks.deploy.containment import unit_of

    state = workspace.state()
    return unit_of(state, champion) == unit_of(state, release)


def _running(workspace: "Workspace") -> "Endpoints | None":
    """The services, or None: what must not be served is stopped without them too."""
    from infra import stack

    if not stack.status(workspace.home).running:
        return None
    found = stack.endpoints(workspace.home)
    enter_stack(workspace.home, found)
    return found


def _follow(workspace: "Workspace") -> str:
    """Bring the aliases to the ledger; why not, when the registry does not answer."""
    from infra.errors import AssayError
    from tasks.deploy.aliases import follow_ledger

    try:
        follow_ledger(workspace)
    except AssayError as error:
        return error.message
    return ""
