"""Take a release out of service for good: the one before it serves again, or nothing does.

contain(workspace, endpoints, release, actor="ada", reason="leaks its prompt")

No approval that was given before counts for a release in quarantine, and none can be given: what replaces it
is another release. The ledger entry comes first; the gateway reads the ledger and stops it even when nothing
of what follows is reached.
"""

from infra.errors import AssayError, PromotionDenied
from infra.ledger import Kind
from infra.stack import Endpoints
from infra.workspace import Workspace
from tasks.deploy.rollback import roll_back
from tasks.deploy.routes import publish_routes
from tasks.deploy.services import await_generation
from tasks.records.release import Containment

_RESTORABLE = ("superseded", "rolled-back")


def contain(
    workspace: Workspace, endpoints: Endpoints | None, release: str, *, actor: str, reason: str
) -> Containment:
    """Quarantine a release; the champion is replaced by the release before it where that can be loaded.

    `endpoints` is None where no service runs. Raises PromotionDenied for a release that the ledger does not
    know or that is in quarantine already, Unavailable when the gateway does not follow in time: the release
    is in quarantine by then.
    """
    state = workspace.state()
    if (present := state.of(release)) in (None, Kind.QUARANTINED.value):
        raise PromotionDenied(f"{release} is {present or 'unknown'}", hint="see `assay release list`")
    problem = ""
    if state.champion == release:
        problem = _restore_previous(workspace, endpoints, actor, reason)
    workspace.ledger.append(
        Kind.QUARANTINED, project=workspace.project.name, subject=release, actor=actor, reason=reason
    )
    snapshot = publish_routes(workspace)
    if endpoints is not None:
        await_generation(endpoints.gateway_url, snapshot.generation)
    return Containment(release=release, champion=workspace.state().champion, not_restored=problem)


def _restore_previous(workspace: Workspace, endpoints: Endpoints | None, actor: str, reason: str) -> str:
    """Roll back; why not, when that cannot be: containment does not wait for it."""
    state = workspace.state()
    if state.previous is None or state.of(state.previous) not in _RESTORABLE:
        return "there is no release before it"
    if endpoints is None:
        return "no service runs that could load the release before it"
    try:
        roll_back(workspace, endpoints, actor=actor, reason=f"quarantine: {reason}")
    except AssayError as error:
        return error.message
    return ""
