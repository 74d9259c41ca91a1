"""Take a release out of service for good: the one before it serves again, or nothing does.

contain(workspace, endpoints, release, actor="ada", reason="leaks its prompt")

No approval that was given before counts for a release in quarantine, and none can be given: what replaces it
is another release. Releases of the same unit, packaged at another time, go with it: they would answer the
same. The gateway reads the ledger and stops it even when nothing of what follows the entry is reached.
"""

from infra.errors import AssayError, PromotionDenied
from infra.ledger import Kind, ProjectState
from infra.stack import Endpoints
from infra.workspace import Workspace
from tasks.deploy.rollback import roll_back
from tasks.deploy.routes import publish_routes
from tasks.deploy.services import await_generation
from tasks.records.release import Containment

_RESTORABLE = ("superseded", "rolled-back")
_MAY_COME_BACK = frozenset({*_RESTORABLE, "candidate", "awaiting-approval", "approved", "expired"})


def contain(
    workspace: Workspace, endpoints: Endpoints | None, release: str, *, actor: str, reason: str
) -> Containment:
    """Quarantine a release; the champion is replaced by the release before it where that can be loaded.

    A champion that is only of the same unit goes on: stop it by its own name. `endpoints` is None where no
    service runs. Raises PromotionDenied for a release that the ledger does not know or that is in quarantine
    already, Unavailable when the gateway does not follow in time: the release is in quarantine by then.
    """
    state = workspace.state()
    if (present := state.of(release)) in (None, Kind.QUARANTINED.value):
        raise PromotionDenied(f"{release} is {present or 'unknown'}", hint="see `assay release list`")
    problem, alike = "", _alike(state, release)
    for each in alike:  # first: none of them is the one to go back to
        _enter(workspace, each, actor, f"same unit as {release}: {reason}")
    if state.champion == release:
        problem = _restore_previous(workspace, endpoints, actor, reason)
    _enter(workspace, release, actor, reason)
    snapshot = publish_routes(workspace)
    if endpoints is not None:
        await_generation(endpoints.gateway_url, snapshot.generation)
    champion = workspace.state().champion
    return Containment(release=release, champion=champion, not_restored=problem, alike=tuple(alike))


def _alike(state: ProjectState, release: str) -> list[str]:
    """Other releases of the same unit that do not serve, and might later."""
    unit = unit_of(state, release)
    known = [each for each in state.releases.values() if unit_of(state, each.release) == unit]
    return [each.release for each in known if each.release != release and each.state in _MAY_COME_BACK]


def unit_of(state: ProjectState, release: str) -> str:
    """The unit of a release; a candidate that was blocked is entered under its unit's own digest."""
    return str(state.releases[release].details.get("unit", release))


def _enter(workspace: Workspace, release: str, actor: str, reason: str) -> None:
    workspace.ledger.append(
        Kind.QUARANTINED, project=workspace.project.name, subject=release, actor=actor, reason=reason
    )


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
    except Exception as error:  # noqa: BLE001  # whatever keeps another from serving, this one is stopped
        return f"{type(error).__name__}: {error}"
    return ""
