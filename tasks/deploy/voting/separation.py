"""Who signed a decision must not have signed what the trust policy keeps apart from it.

check_separation(workspace, release, signer)       # VerificationError: same-signer
"""

from infra.digest import hex_of
from infra.signing import TrustRoot, read_part, verify_manifest
from infra.signing import manifest as layout
from infra.signing.attestations import attestation_file
from infra.signing.sealed import read_regular
from infra.signing.signer import SignerIdentity
from infra.trust import Signed, Stage
from infra.workspace import Workspace

_MOST_BYTES = 8 << 20


def check_separation(workspace: Workspace, release: str, signer: SignerIdentity) -> None:
    """Raises VerificationError when this signer also signed a stage that an approval must differ from."""
    trust = workspace.trust
    apart = trust.policy.of(Stage.APPROVAL).not_same_as
    if not apart:
        return
    directory = workspace.releases / hex_of(release)
    manifest = verify_manifest(directory, trust=trust)
    signers = {}
    for stage in apart:
        if stage == Stage.RELEASE:  # its bundle cannot be listed in the manifest that it signs
            name, bundle = layout.BUNDLE, read_regular(directory, layout.BUNDLE, _MOST_BYTES)
        else:
            name = layout.ADAPTER_SIGNATURE if stage == Stage.WEIGHTS else attestation_file(stage)
            bundle = read_part(directory, manifest, name)
        signers[stage] = _party(trust.verify(bundle, stage, name)[1], trust)
    trust.policy.separation(Stage.APPROVAL, signers).verify(Signed("decision", _party(signer, trust)))


def _party(signer: SignerIdentity, trust: TrustRoot) -> SignerIdentity:
    """Who that is: an installation stays the same when its key is replaced."""
    own = [key.key_id for key in trust.own_keys]
    return SignerIdentity(own[0]) if not signer.issuer and signer.subject in own else signer
