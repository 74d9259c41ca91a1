"""Keyless signatures: a certificate for ten minutes from Sigstore's Fulcio says who signed, a log says when.

signer = KeylessSigner("env:SIGSTORE_TOKEN", trust_config=Path("trust-config.json"))
bundle = signer.sign(statement)
content, signer = verify_keyless(bundle, read_trust(Path("trusted-root.json")), "gates.sigstore.json")

Verification needs no network, whatever became of the services. What a trusted root no longer names is
revoked; where it ends the `validFor` of an entry, what was signed before still counts.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.digest import canonical_json
from infra.errors import IntegrityError
from infra.signing.documents import parse_object
from infra.signing.dsse import BUNDLE_TYPE, MOST_BYTES, PAYLOAD_TYPE, STATEMENT_TYPE
from infra.signing.identity_token import AMBIENT, identity_token
from infra.signing.signer import SignerIdentity
from infra.signing.sigstore_calls import explained, within
from infra.signing.sigstore_trust import client_config, read_trust, trusted_root

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import TrustedRoot
    from sigstore.oidc import IdentityToken
    from sigstore.sign import Signer as Holder

__all__ = ["KeylessSigner", "read_trust", "verify_keyless"]

# github.com/sigstore/fulcio, docs/oid-info.md: as it is, and as a DER string.
_ISSUER_V1, _ISSUER_V2 = "1.3.6.1.4.1.57264.1.1", "1.3.6.1.4.1.57264.1.8"
# Fulcio's certificates are good for ten minutes; one that is used again still has time for a slow log.
_REUSE_S = 300.0
_PATIENCE_S = 60.0


class KeylessSigner:
    """Signs as whoever an OIDC token says, with a key that lives in memory as long as one certificate.

    `token` is a secret reference or "ambient"; without `trust_config` the public Sigstore instance signs.
    """

    def __init__(
        self, token: str = AMBIENT, trust_config: Path | None = None, *, patience_s: float = _PATIENCE_S
    ) -> None:
        self._token = token
        self._trust_config = trust_config
        self._patience_s = patience_s
        self._held: tuple[Holder, TrustedRoot, float] | None = None
        self._identity: SignerIdentity | None = None

    @property
    def identity(self) -> SignerIdentity:
        """What the last certificate said; before the first signature, what the token claims."""
        if self._identity is None:
            token = _parsed(identity_token(self._token))
            return SignerIdentity(token.identity, token.federated_issuer)
        return self._identity

    def sign(self, content: Mapping[str, Any]) -> bytes:
        """The bundle (JSON bytes), verified before it is handed out.

        Raises ConfigError without a token, IntegrityError when one is refused or an answer does not verify,
        Unavailable when a service does not answer.
        """
        payload = canonical_json(dict(content))
        bundle, root = within(self._patience_s, lambda: self._signed(payload))
        _, self._identity = _verified(bundle, lambda _: root, "new signature")
        return bundle

    def _signed(self, payload: bytes) -> "tuple[bytes, TrustedRoot]":
        from sigstore.dsse import Statement

        with explained():
            statement = Statement(payload)
            held, self._held = self._certificate(), None
            bundle = held[0].sign_dsse(statement)
        self._held = held  # not after a failure: the next attempt starts afresh
        return bundle.to_json().encode(), held[1]

    def _certificate(self) -> "tuple[Holder, TrustedRoot, float]":
        """The one that is held, or a new one: several statements in a row need one certificate."""
        from sigstore.sign import SigningContext

        if self._held is not None and time.monotonic() < self._held[2]:
            return self._held
        token = _parsed(identity_token(self._token))
        config = client_config(self._trust_config)
        with SigningContext.from_trust_config(config).signer(token) as holder:
            return holder, config.trusted_root, time.monotonic() + _REUSE_S


def verify_keyless(bundle: bytes, trust: bytes, name: str) -> tuple[dict[str, Any], SignerIdentity]:
    """The in-toto statement and who signed it, by certificate, log and time, without any network.

    `trust` is what `read_trust` gives. *Whoever* signed is returned: the caller decides whether they may.
    Raises IntegrityError and nothing else.
    """
    try:
        return _verified(bundle, lambda certificate: trusted_root(trust, _life(certificate)), name)
    except IntegrityError as error:
        if error.message.startswith(f"{name}: "):
            raise
        raise IntegrityError(f"{name}: {error.message}", error.hint) from error


def _verified(
    bundle: bytes, root_for: "Callable[[Certificate], TrustedRoot]", name: str
) -> tuple[dict[str, Any], SignerIdentity]:
    document = parse_object(bundle, name, most_bytes=MOST_BYTES)
    if document.get("mediaType") != BUNDLE_TYPE:
        raise IntegrityError(
            f"{name}: got media type {document.get('mediaType')!r}, expected {BUNDLE_TYPE!r}"
        )
    try:
        kind, payload, signer = _signed_payload(bundle, document, root_for, name)
    except IntegrityError:
        raise
    except Exception as error:
        # Its readers raise a dozen kinds of error; none of them is ever a pass.
        raise IntegrityError(
            f"{name}: keyless signature refused: {type(error).__name__}: {error}",
            hint="verify with the trusted root of the instance that signed; if it is that, refuse the file",
        ) from error
    if kind != PAYLOAD_TYPE:
        raise IntegrityError(f"{name}: got payload {kind!r}, expected {PAYLOAD_TYPE!r}")
    content = parse_object(payload, name, most_bytes=MOST_BYTES)
    if content.get("_type") != STATEMENT_TYPE:
        raise IntegrityError(f"{name}: got statement {content.get('_type')!r}, expected {STATEMENT_TYPE!r}")
    return content, signer


def _signed_payload(
    bundle: bytes, document: dict[str, Any], root_for: "Callable[[Certificate], TrustedRoot]", name: str
) -> tuple[str, bytes, SignerIdentity]:
    from sigstore.models import Bundle
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    parsed = Bundle.from_json(bundle)
    # The wrapper is not signed, so it may have one meaning only: what its reader would write down again.
    if parse_object(parsed.to_json().encode(), name, most_bytes=2 * MOST_BYTES) != document:
        raise IntegrityError(f"{name}: the bundle is not in canonical form")
    certificate = parsed.signing_certificate
    signer = _identity_of(certificate, name)
    # Sigstore's own reader of certificates has to find the same identity and issuer.
    policy = Identity(identity=signer.subject, issuer=signer.issuer)
    kind, payload = Verifier(trusted_root=root_for(certificate)).verify_dsse(parsed, policy)
    return kind, payload, signer


def _life(certificate: "Certificate") -> tuple[datetime, datetime]:
    """When it is valid: once it is verified, the signature is known to be of that time."""
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _identity_of(certificate: "Certificate", name: str) -> SignerIdentity:
    """Its one alternative name, and the issuer, which two extensions may name, but not differently."""
    from cryptography import x509
    from cryptography.hazmat import asn1

    extensions = certificate.extensions
    names = list(extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    if len(names) != 1 or not isinstance(names[0], x509.RFC822Name | x509.UniformResourceIdentifier):
        raise IntegrityError(f"{name}: the certificate does not name exactly one e-mail address or URI")
    values = {
        each.oid.dotted_string: each.value.value
        for each in extensions
        if isinstance(each.value, x509.UnrecognizedExtension)
    }
    issuer = values.get(_ISSUER_V1, b"").decode()
    again = asn1.decode_der(str, values[_ISSUER_V2]) if _ISSUER_V2 in values else issuer
    if not issuer or again != issuer:
        raise IntegrityError(f"{name}: the certificate does not name one issuer")
    return SignerIdentity(names[0].value, issuer)


def _parsed(token: str) -> "IdentityToken":
    from sigstore.oidc import IdentityError, IdentityToken

    try:
        return IdentityToken(token)
    except IdentityError as error:
        reason = f": {error.__cause__}" if error.__cause__ else ""
        raise IntegrityError(
            f"the identity token cannot be used: {error}{reason}",
            hint="it lives for minutes and has to be for the audience `sigstore`: get a new one",
        ) from None
