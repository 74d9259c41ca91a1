"""What this installation signs for others, and whose signatures it believes besides the approvers' own."""

from infra.refusal import VerificationError
from infra.signing import TrustRoot
from infra.signing.keys import PublicKey, ensure_key, load_private_key
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

    A key of its own counts where the trust policy lets that key sign approvals; where it lets none, there are
    no one-time codes and no automatic decisions. Raises ConfigError, IntegrityError for an unreadable policy.
    """
    trust = workspace.trust
    return Trusted(
        installation=tuple(key for key in trust.own_keys if _may_approve(key, trust)),
        keyless=trust.certificates,
        not_revoked=trust.policy.not_revoked,
    )


def _may_approve(key: PublicKey, trust: TrustRoot) -> bool:
    own = trust.installation.key_id if trust.installation else ""
    rule = trust.policy.rule(
        Stage.APPROVAL, installation=own, retired=[each.key_id for each in trust.retired]
    )
    try:
        rule.verify(Signed("approval", SignerIdentity(key.key_id)))
    except VerificationError:
        return False
    return True
