"""Who signs: one interface over key files, PKCS#11 tokens and keyless identities.

signer = KeySigner(load_private_key(pair.private))
bundle = signer.sign(statement)          # a Sigstore bundle v0.3 around a DSSE envelope
signer.identity                          # what a verifier will learn about the signer
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec

from infra.signing.dsse import sign_statement
from infra.signing.keys import describe


@dataclass(frozen=True)
class SignerIdentity:
    """Who signed: a key by its id, or a person or workload by what an OIDC issuer says."""

    subject: str
    """`sha256:<hex>` of a key's SubjectPublicKeyInfo, or the certificate's subject alternative name."""
    issuer: str = ""
    """Empty for keys; the OIDC issuer of a keyless identity."""

    def __str__(self) -> str:
        return f"{self.subject} by {self.issuer}" if self.issuer else self.subject


class Signer(Protocol):
    """Signs in-toto statements."""

    @property
    def identity(self) -> SignerIdentity:
        """Who signs."""

    def sign(self, content: Mapping[str, Any]) -> bytes:
        """The bundle (JSON bytes); raises IntegrityError, and Unavailable when a service does not answer."""


@dataclass(frozen=True)
class KeySigner:
    """Signs with an EC P-256 key in memory."""

    key: ec.EllipticCurvePrivateKey

    @property
    def identity(self) -> SignerIdentity:
        """The key's id."""
        return SignerIdentity(describe(self.key.public_key()).key_id)

    def sign(self, content: Mapping[str, Any]) -> bytes:
        """The bundle (JSON bytes)."""
        return sign_statement(content, self.key)
