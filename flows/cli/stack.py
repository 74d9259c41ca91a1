"""`assay up|down|status`: the local services."""

from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from flows.cli.environment import enter_stack
from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained
from infra.config import profile_names, project_names
from infra.errors import Unavailable

if TYPE_CHECKING:
    from infra.workspace import Workspace


def up(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """Start all services and deploy all flows; does nothing when they run."""
    from infra import stack
    from infra.signing import ensure_key
    from infra.workspace import open_workspace
    from tasks.deploy.routes import publish_routes

    with explained(as_json):
        workspace = open_workspace(project, profile)
        with suppress(Unavailable):  # what was brought here serves without the bucket
            workspace.store.describe()
        ensure_key(workspace.home, workspace.project.signing.passphrase or "")
        publish_routes(workspace)
        running = stack.up(workspace.project)
        enter_stack(workspace.home, running)
        _deploy_flows(workspace)
        lines = [f"{name.removesuffix('_url'):<14} {url}" for name, url in asdict(running).items()]
        emit(asdict(running), as_json=as_json, text="\n".join(lines))


def down(as_json: Json = False) -> None:
    """Stop all services; leaves no process."""
    from infra import stack
    from infra.config import state_home

    with explained(as_json):
        stopped = stack.down(state_home())
        emit({"stopped": stopped}, as_json=as_json, text="stopped" if stopped else "nothing was running")


def status(as_json: Json = False) -> None:
    """Show every service: state, address, whether it answers a real call."""
    import typer

    from infra import stack
    from infra.config import state_home

    with explained(as_json):
        found = stack.status(state_home())
        lines = [
            f"{s.name:<14} {s.state:<9} {'ready' if s.ready else 'NOT READY':<10}"
            f" pid={s.pid or '-'} restarts={s.restarts} {s.url or ''} {s.reason}".rstrip()
            for s in found.services
        ]
        text = "\n".join(lines) if found.running else "not running\n  → assay up"
        emit({**asdict(found), "ready": found.ready}, as_json=as_json, text=text)
        if not found.ready:
            raise typer.Exit(1)


def _deploy_flows(workspace: "Workspace") -> None:
    from infra import atomic
    from infra.code import code_digest
    from infra.digest import digest_json

    stamp, database = workspace.run / "deployments.digest", workspace.home / "prefect" / "prefect.db"
    # Importing Prefect and seven API calls cost seconds: only when something about the flows changed.
    choices = [project_names(), profile_names()]
    wanted = digest_json([code_digest("flows"), workspace.project.schedule.model_dump(), choices])
    if database.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    from flows.deployments import apply_deployments

    apply_deployments(workspace.project)
    atomic.write_text(stamp, wanted)
