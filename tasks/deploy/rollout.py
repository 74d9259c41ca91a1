"""Make a release the champion: loaded, smoke-tested while staged, then one ledger entry, then routes.

The ledger entry is the moment of promotion. Everything before can be repeated, everything after it is a
projection that `reconcile` repeats; a kill between any two steps leaves one champion and a way on.
"""

from collections.abc import Sequence

from infra.gateway.keys import KeyStore
from infra.ledger import Kind
from infra.stack import Endpoints, ensure_internal_token
from infra.workspace import Workspace
from tasks.deploy.routes import publish_routes
from tasks.deploy.services import ask, await_generation, load_release
from tasks.deploy.smoke import Expected, check_answers
from tasks.records import Rollout


def smoke_key(workspace: Workspace) -> str:
    """The gateway key of the smoke test, made once and kept 0600."""
    from infra import atomic

    file = workspace.keys / "smoke.key"
    keys = KeyStore(workspace.keys / "gateway-keys.json")
    if file.exists() and keys.lookup(file.read_text(encoding="utf-8")) is not None:
        return file.read_text(encoding="utf-8")
    _, secret = keys.create("smoke-test", scopes=("staged", "models"))
    atomic.write_text(file, secret)
    return secret


def load_resident(workspace: Workspace, endpoints: Endpoints, release: str) -> None:
    """Have the model server verify and hold a release; raises IntegrityError, Unavailable."""
    token = ensure_internal_token(workspace.home).read_text(encoding="utf-8").strip()
    load_release(endpoints.model_server_url, token, release)


def stage(workspace: Workspace, endpoints: Endpoints, release: str, questions: Sequence[Expected]) -> None:
    """Load the release beside the champion and ask it what validation asked; clients do not see it yet.

    Raises IntegrityError when the bytes or the answers are not what was measured.
    """
    load_resident(workspace, endpoints, release)
    snapshot = publish_routes(workspace, staged=(release,))
    await_generation(endpoints.gateway_url, snapshot.generation)
    key = smoke_key(workspace)
    check_answers(questions, lambda text: ask(endpoints.gateway_url, key, release, text))


def promote(workspace: Workspace, release: str, *, expected_head: int, details: dict[str, str]) -> None:
    """The moment of promotion: one ledger entry makes this release champion and the old one superseded."""
    workspace.ledger.append(
        Kind.CHAMPION,
        project=workspace.project.name,
        subject=release,
        actor="deploy",
        reason="approved, loaded, smoke test passed",
        details=details,
        expected_head=expected_head,
    )


def reconcile(
    workspace: Workspace,
    endpoints: Endpoints,
    *,
    questions: Sequence[Expected] = (),
) -> Rollout:
    """Bring model server, routes and gateway to what the ledger says; raises Unavailable."""
    state = workspace.state()
    if state.champion is None:
        raise ValueError("reconcile needs a champion")
    load_resident(workspace, endpoints, state.champion)
    snapshot = publish_routes(workspace)
    await_generation(endpoints.gateway_url, snapshot.generation)
    if questions:
        key = smoke_key(workspace)
        check_answers(questions, lambda text: ask(endpoints.gateway_url, key, workspace.project.name, text))
    return Rollout(
        release=state.champion,
        generation=snapshot.generation,
        previous=state.previous,
        gateway=endpoints.gateway_url,
    )
