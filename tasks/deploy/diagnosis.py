"""What `assay doctor` looks at: home, ledger, trust, releases, routes, services, aliases; each in a line."""

from collections.abc import Callable
from dataclasses import dataclass

from infra import stack
from infra.digest import hex_of
from infra.errors import AssayError, IntegrityError
from infra.gateway.routes import read_snapshot
from infra.signing import verify_manifest
from infra.workspace import Workspace
from tasks.deploy.aliases import check_aliases
from tasks.deploy.routes import all_states, routes_from


@dataclass(frozen=True)
class Finding:
    """One part of the installation, whether it is as it should be, and what it is."""

    part: str
    healthy: bool
    message: str


def diagnose(workspace: Workspace) -> list[Finding]:
    """Every part in turn; a part that cannot be looked at is not healthy."""
    parts: dict[str, Callable[[Workspace], str]] = {
        "home": _home,
        "ledger": _ledger,
        "trust": _trust,
        "releases": _releases,
        "routes": _routes,
        "services": _services,
        "aliases": _aliases,
    }
    return [_look(name, check, workspace) for name, check in parts.items()]


def _look(name: str, check: Callable[[Workspace], str], workspace: Workspace) -> Finding:
    try:
        return Finding(name, True, check(workspace))
    except AssayError as error:
        return Finding(name, False, error.diagnostics().replace("\n", ""))


def _home(workspace: Workspace) -> str:
    mode = workspace.home.stat().st_mode & 0o777
    if mode != 0o700:
        raise IntegrityError(f"{workspace.home} has mode {mode:o}, expected 700", hint="chmod 700")
    return f"{workspace.home}: store/ ledger.db releases/ prefect/ mlflow/ keys/ audit/ logs/ run/"


def _ledger(workspace: Workspace) -> str:
    return f"{workspace.ledger.verify()} entries, chain intact"


def _trust(workspace: Workspace) -> str:
    trust = workspace.trust
    own = trust.installation.key_id if trust.installation else "none yet"
    return f"policy {trust.policy.digest}, key of this installation {own}"


def _releases(workspace: Workspace) -> str:
    state = workspace.state()
    live = [release for release in (state.champion, state.previous) if release is not None]
    for release in live:
        verify_manifest(workspace.releases / hex_of(release), trust=workspace.trust)
    return f"champion {state.champion or 'none'}, previous {state.previous or 'none'}, signatures valid"


def _routes(workspace: Workspace) -> str:
    file = workspace.run / "routes.json"
    if not file.exists():
        return "no routes yet"
    present = read_snapshot(file)
    wanted = routes_from(all_states(workspace.ledger), generation=present.generation)
    if present.models != wanted.models:
        raise IntegrityError(
            f"routes serve {dict(present.models)}, ledger says {dict(wanted.models)}",
            hint="assay doctor --repair",
        )
    return f"generation {present.generation}, as the ledger says"


def _services(workspace: Workspace) -> str:
    found = stack.status(workspace.home)
    if not found.running:
        return "not running (assay up)"
    waiting = [service.name for service in found.services if not service.ready]
    if waiting:
        raise IntegrityError(f"not ready: {', '.join(waiting)}", hint="assay status")
    return f"{len(found.services)} services answer"


def _aliases(workspace: Workspace) -> str:
    state = workspace.state()
    if state.champion is None or not stack.status(workspace.home).running:
        return "nothing to compare"
    return check_aliases(workspace, state)
