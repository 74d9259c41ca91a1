"""Does everything agree, seen from files and the ledger alone: chain, checkpoint, releases, routes.

for finding in audit(workspace):
    print(finding.healthy, finding.part, finding.message)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from infra.digest import hex_of
from infra.errors import AssayError, IntegrityError
from infra.gateway.routes import read_snapshot
from infra.ledger import Entry, Kind, ProjectState, ReleaseState, fold
from infra.signing import verify_manifest, verify_release
from infra.signing.manifest import created_at
from infra.workspace import Workspace
from tasks.deploy.routes import routes_from
from tasks.deploy.voting.audit import audit_decisions

_ON_DISK = frozenset({"awaiting-approval", "approved", "champion", "superseded", "rolled-back"})
"""States in which a release may be served, now or again: its directory has to be there, and whole."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, whether it holds, and what it is."""

    part: str
    healthy: bool
    message: str


def audit(workspace: Workspace) -> list[Finding]:
    """The ledger first: nothing else can be judged without it. Reads every byte of every release."""
    found: list[Finding] = []
    try:
        entries = workspace.ledger.intact()
        states = {name: fold(name, entries) for name in sorted({entry.project for entry in entries})}
    except AssayError as error:
        return [_bad("ledger", error)]
    found.append(Finding("ledger", True, f"{len(entries)} entries, chain intact, every transition allowed"))
    found.append(_look("checkpoint", lambda: _checkpoint(workspace, entries)))
    for state in states.values():
        found += _releases(workspace, state)
    for name in states:
        found += _decisions(workspace, name)
    found.append(_look("routes", lambda: _routes(workspace, states)))
    return found


def history(entries: list[Entry], release: str) -> list[Entry]:
    """What happened to one release, a rollback that restored it included."""
    return [
        entry for entry in entries if entry.subject == release or entry.details.get("restores") == release
    ]


def _look(part: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(part, True, check())
    except AssayError as error:
        return _bad(part, error)


def _bad(part: str, error: AssayError) -> Finding:
    return Finding(part, False, error.diagnostics().replace("\n", ""))


def _checkpoint(workspace: Workspace, entries: list[Entry]) -> str:
    newest = workspace.checkpoints.newest()
    if newest is None:
        return "none yet: nothing has happened"
    later = len(entries) - newest.size
    after = f", {later} newer entries are not signed yet" if later else ""
    return f"{newest.size} entries signed at {newest.time}, head {newest.head}{after}"


def _decisions(workspace: Workspace, project: str) -> list[Finding]:
    try:
        rows = audit_decisions(workspace, project)
    except AssayError as error:
        return [_bad("decision", error)]
    return [Finding("decision", row.proven, f"{row.release} {row.decision}: {row.detail}") for row in rows]


def _releases(workspace: Workspace, state: ProjectState) -> Iterator[Finding]:
    for release in sorted(state.releases.values(), key=lambda each: each.seq):
        if release.state in _ON_DISK:
            yield _look("release", lambda each=release: _release(workspace, state.project, each))  # type: ignore[misc]


def _release(workspace: Workspace, project: str, state: ReleaseState) -> str:
    directory, trust = workspace.releases / hex_of(state.release), workspace.trust
    made: datetime | None = None
    if state.state != Kind.CHAMPION:
        # One that only served before, or waits, may have expired or be of an earlier trust policy: what it
        # was is proven by today's signers all the same. It is looked at again before it could serve.
        past = verify_manifest(directory, trust=trust, in_force=False)
        made, policy = created_at(past), trust.policy
        accepted = {"succeeds": (*policy.succeeds, past.trust), "max_age_days": None}
        trust = replace(trust, policy=policy.model_copy(update=accepted))
    with verify_release(directory, trust=trust, store=workspace.store, now=made) as verified:
        manifest = verified.manifest
        if manifest.project != project:
            raise IntegrityError(
                f"{state.release} belongs to {manifest.project!r}, the ledger says {project!r}"
            )
        if (unit := state.details.get("unit")) != manifest.unit:
            raise IntegrityError(f"{state.release} is unit {manifest.unit}, the ledger says {unit}")
        files = len(manifest.files) + len(manifest.base.files)
    return f"{state.release} ({state.state} since {state.since[:16]}): {files} files verified"


def _routes(workspace: Workspace, states: dict[str, ProjectState]) -> str:
    file = workspace.run / "routes.json"
    if not file.exists():
        return "none: nothing is served"
    present = read_snapshot(file, workspace.keys / "signing.pub")
    wanted = routes_from(list(states.values()), generation=present.generation)
    if present.models != wanted.models:
        raise IntegrityError(
            f"routes serve {dict(present.models)}, the ledger says {dict(wanted.models)}",
            hint="assay doctor --repair",
        )
    served = ", ".join(f"{name}: {digest}" for name, digest in sorted(present.models.items()))
    return f"generation {present.generation}: {served or 'nothing'}"
