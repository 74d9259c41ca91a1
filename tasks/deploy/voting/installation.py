"""What this installation signs for others, and whose signatures it believes besides the approvers' own."""

from infra.signing.keys import PUBLIC_NAME, ensure_key, load_private_key, load_public_key
from infra.signing.signer import KeySigner, Signer
from infra.workspace import Workspace
from tasks.deploy.voting.proof import Trusted


def installation_signer(workspace: Workspace) -> Signer:
    """What signs for one-time codes and for policy `auto`."""
    return KeySigner(load_private_key(ensure_key(workspace.home).private))


def trusted_of(workspace: Workspace) -> Trusted:
    """Whose signatures this installation believes besides the approvers' own; no key is made for that."""
    own = workspace.keys / PUBLIC_NAME
    return Trusted(installation=[load_public_key(own)] if own.exists() else [])
