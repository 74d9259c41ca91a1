"""What this installation signs for others, and whose signatures it believes besides the approvers' own."""

from infra.refusal import VerificationError
from infra.signing import TrustRoot
from infra.signing.keys import ensure_key, load_private_key
from infra.signing.signer import KeySigner, Signer, SignerIdentity
from infra.trust import Signed, Stage
from infra.workspace import Workspace
from tasks.deploy.voting.proof import Trusted


def installation_signer(workspace: Workspace) -> Signer:
    """What signs for one-time codes and for policy `auto`: the key of this home, whatever signs releases."""
    passphrase = workspace.project.signing.passphrase or ""
    pair = ensure_key(workspace.home, passphrase)
    return KeySigner(load_private_key(pair.private, passphrase))


def trusted_of(workspace: Workspace) -> Trusted:
    """Whose signatures this installation believes besides the approvers' own, and whose no more.

    Its own key counts where the trust policy lets it sign approvals: under one that does not, there are no
    one-time codes and no automatic decisions. Raises ConfigError, IntegrityError for an unreadable policy.
    """
    trust = workspace.trust
    return Trusted(
        installation=trust.own_keys if trust.installation and _may_approve(trust) else (),
        keyless=trust.certificates,
        not_revoked=trust.policy.not_revoked,
    )


def _may_approve(trust: TrustRoot) -> bool:
    own = trust.installation.key_id if trust.installation else ""
    try:
        trust.policy.rule(Stage.APPROVAL, installation=own).verify(Signed("approval", SignerIdentity(own)))
    except VerificationError:
        return False
    return True
