"""A trust policy with what is needed to check signatures: public keys, and certificates' roots.

trust = open_trust(Path("configs/trust.yaml"), home / "keys" / "signing.pub")
content, signer = trust.verify(bundle, Stage.GATES, "attestations/gates.sigstore.json")
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from infra.errors import ConfigError, IntegrityError
from infra.refusal import Reason, VerificationError
from infra.signing.documents import parse_object
from infra.signing.dsse import MOST_BYTES, verify_signed
from infra.signing.keys import PublicKey, load_public_key
from infra.signing.rotation import retired_keys
from infra.signing.signer import SignerIdentity
from infra.trust import Signed, Stage, TrustPolicy, read_policy
from infra.trust.policy import TrustedKey

Authenticated = tuple[dict[str, Any], SignerIdentity]
"""The statement in a bundle, and who signed it."""


@dataclass(frozen=True)
class TrustRoot:
    """Whom a verifier trusts for what; holds no state, so one verification cannot affect another."""

    policy: TrustPolicy
    installation: PublicKey | None
    """The key behind the word `installation`."""
    keys: tuple[PublicKey, ...] = ()
    """Other keys that the policy names."""
    certificates: Callable[[bytes, str], Authenticated] | None = None
    """Checks a bundle with a certificate (bundle, name of its file); None where no identity is trusted."""
    retired: tuple[PublicKey, ...] = ()
    """Keys that were behind the word `installation` before: what they signed still counts."""

    def verify(self, bundle: bytes, stage: Stage, name: str) -> Authenticated:
        """The statement and its signer, if the policy lets that signer sign this stage.

        Raises VerificationError naming `name`: revocation first, then the signature, then the policy.
        """
        self._refuse_revoked(bundle, name)
        content, signer = self._authenticate(bundle, name)
        installation = self.installation.key_id if self.installation else ""
        retired = [key.key_id for key in self.retired]
        self.policy.rule(stage, installation=installation, retired=retired).verify(Signed(name, signer))
        return content, signer

    @property
    def own_keys(self) -> tuple[PublicKey, ...]:
        """The installation's keys, the one in use first."""
        return (*([self.installation] if self.installation else []), *self.retired)

    def _refuse_revoked(self, bundle: bytes, name: str) -> None:
        """By the key id that the bundle claims: a revoked key may not be among the known ones any more."""
        envelope = parse_object(bundle, name, most_bytes=MOST_BYTES).get("dsseEnvelope")
        signatures = envelope.get("signatures") if isinstance(envelope, dict) else None
        for each in signatures if isinstance(signatures, list) else ():
            claimed = each.get("keyid") if isinstance(each, dict) else None
            if isinstance(claimed, str):
                self.policy.not_revoked.verify(Signed(name, SignerIdentity(claimed)))

    def _authenticate(self, bundle: bytes, name: str) -> Authenticated:
        keys = (*self.own_keys, *self.keys)
        material = parse_object(bundle, name, most_bytes=MOST_BYTES).get("verificationMaterial")
        if isinstance(material, dict) and "certificate" in material:
            if self.certificates is None:
                raise VerificationError(
                    Reason.SIGNER_UNTRUSTED,
                    f"{name}: signed with a certificate, and the trust policy names no identity",
                )
            return self.certificates(bundle, name)
        if not keys:
            raise VerificationError(
                Reason.NO_TRUST,
                f"{name}: no trusted key is given",
                hint="name the public key of the release's signer",
            )
        content, key = verify_signed(bundle, keys, name)
        return content, SignerIdentity(key.key_id)


def open_trust(policy: Path, installation: Path) -> TrustRoot:
    """The policy in a file with the keys it names; `installation`: the installation's public key.

    Read anew at every call: a revocation holds from the next verification on. Raises ConfigError for a
    policy that cannot be read or names a key without a file, IntegrityError for a file that is no key.
    """
    rules = read_policy(policy)
    own = load_public_key(installation) if installation.exists() else None
    keys = tuple(load_public_key(policy.parent / file) for file in rules.public_keys)
    retired = retired_keys(installation.parent)
    known = {key.key_id for key in (*keys, *retired)} | ({own.key_id} if own else set())
    for stage in Stage:
        for signer in rules.of(stage).signers:
            if isinstance(signer, TrustedKey) and signer.key not in known:
                raise ConfigError(
                    f"{policy}: stages.{stage}: no file is given for key {signer.key}",
                    hint="list its PEM file under `public_keys`",
                )
    root = None if rules.trusted_root is None else policy.parent / rules.trusted_root
    return TrustRoot(rules, own, keys, None if root is None else partial(by_certificate, root), retired)


def by_certificate(root: Path, bundle: bytes, name: str) -> Authenticated:
    """Who signed, by the certificate in a bundle and the trusted root in a file; raises VerificationError."""
    from infra.signing.keyless import read_trust, verify_keyless

    try:
        return verify_keyless(bundle, read_trust(root), name)
    except VerificationError:
        raise
    except IntegrityError as error:
        raise VerificationError(Reason.SIGNATURE_INVALID, error.message, error.hint) from error
