"""From the ledger to what the gateway serves: a pure projection, so that it can be repaired at any time.

snapshot = routes_from([ledger.state("triage")], generation=7)
"""

from collections.abc import Iterable

from infra.gateway.routes import RouteSnapshot, read_snapshot, write_snapshot
from infra.ledger import Ledger, ProjectState
from infra.signing import ensure_key
from infra.workspace import Workspace


def routes_from(
    states: Iterable[ProjectState], *, generation: int, staged: tuple[str, ...] = ()
) -> RouteSnapshot:
    """The routes that these states mean; `previous` releases stay resident, so that rollback is a swap."""
    models: dict[str, str] = {}
    resident: list[str] = []
    for state in states:
        if state.champion is not None:
            models[state.project] = state.champion
            resident.append(state.champion)
        if state.previous is not None:
            resident.append(state.previous)
    resident += [release for release in staged if release not in resident]
    return RouteSnapshot(generation=generation, models=models, staged=staged, resident=tuple(resident))


def all_states(ledger: Ledger) -> list[ProjectState]:
    """The state of every project that the ledger knows."""
    names = sorted({entry.project for entry in ledger.entries()})
    return [ledger.state(name) for name in names]


def publish_routes(
    workspace: Workspace, *, staged: tuple[str, ...] = (), anew: bool = False
) -> RouteSnapshot:
    """Write the routes that follow from the ledger now; returns the snapshot that is in force.

    A snapshot that says the same already is left alone, unless it is to be signed `anew`. Raises
    IntegrityError for a broken ledger.
    """
    file = workspace.run / "routes.json"
    passphrase = workspace.project.signing.passphrase or ""
    keys = ensure_key(workspace.home, passphrase)
    present = read_snapshot(file, keys.public) if file.exists() else None
    generation = (present.generation if present else 0) + 1
    wanted = routes_from(all_states(workspace.ledger), generation=generation, staged=staged)
    if present is not None and _same(present, wanted) and not anew:
        return present
    write_snapshot(file, wanted, keys.private, passphrase)
    return wanted


def _same(one: RouteSnapshot, other: RouteSnapshot) -> bool:
    return (one.models, one.staged, one.resident) == (other.models, other.staged, other.resident)
