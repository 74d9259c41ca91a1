"""Another signing key for an installation: its checkpoint and routes are signed anew, the reason is kept.

rotated = replace_signing_key(workspace, actor="ada", reason="every year")

Of a compromised key nothing counts afterwards. The ledger says so before anything changes: whoever runs this
again after a kill, with whatever reason, voids that key too.
"""

from collections.abc import Iterable

from infra.errors import IntegrityError
from infra.ledger import Entry, Kind
from infra.signing.keys import ensure_key
from infra.signing.rotation import Rotated, retired_keys, rotate_key, void_key
from infra.workspace import Workspace
from tasks.deploy.routes import publish_routes

_COMPROMISED = "signing_key_compromised"


def replace_signing_key(
    workspace: Workspace, *, actor: str, reason: str, compromised: bool = False
) -> Rotated:
    """Sign with a new key from now on; with `compromised`, void what the old one signed.

    Raises IntegrityError for a ledger, key or routes that cannot be used, Unavailable.
    """
    home, passphrase = workspace.home, workspace.project.signing.passphrase or ""
    workspace.ledger.intact()
    old = ensure_key(home, passphrase).key_id
    if compromised:
        _note(workspace, old, actor, reason, {_COMPROMISED: old})
    rotated = rotate_key(home, passphrase)
    details = {"signing_key_replaced": rotated.old, "compromised": compromised}
    _note(workspace, rotated.new, actor, reason, details)
    entries = workspace.ledger.intact()
    workspace.checkpoints.restart(entries)
    void = {key.key_id for key in retired_keys(workspace.keys)} & set(compromised_keys(entries))
    _sign_routes(workspace, anyway=bool(void))
    for key_id in sorted(void - {rotated.new}):
        void_key(home, key_id)
    if void:
        # One generation more: the gateway judges what it serves again, now without that key.
        publish_routes(workspace, anew=True)
    return rotated


def compromised_keys(entries: Iterable[Entry]) -> list[str]:
    """Ids of the keys that the ledger says are compromised."""
    return [str(entry.details[_COMPROMISED]) for entry in entries if _COMPROMISED in entry.details]


def _note(workspace: Workspace, subject: str, actor: str, reason: str, details: dict[str, object]) -> None:
    project = workspace.project.name
    workspace.ledger.append(
        Kind.NOTE, project=project, subject=subject, actor=actor, reason=reason, details=details
    )


def _sign_routes(workspace: Workspace, *, anyway: bool) -> None:
    try:
        publish_routes(workspace, anew=True)
    except IntegrityError:
        if not anyway:
            raise
        # Routes that cannot be read must not keep a compromised key in force.
        (workspace.run / "routes.json").unlink(missing_ok=True)
        publish_routes(workspace, anew=True)
