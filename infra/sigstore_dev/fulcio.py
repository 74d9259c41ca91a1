"""Fulcio: a certificate for ten minutes, for whoever an identity token says and for the key they hold.

fulcio = Fulcio(issuer, ct_log, clock)
fulcio.sign_certificate(request_body, bearer_token)      # the answer of POST /api/v2/signingCert

API v2 and the certificate profile of github.com/sigstore/fulcio (docs/certificate-specification.md).
"""

import base64
import binascii
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.errors import IntegrityError
from infra.signing.documents import parse_object
from infra.sigstore_dev import ct_log as transparency
from infra.sigstore_dev.authorities import builder, key_usage, new_authority
from infra.sigstore_dev.clock import Clock
from infra.sigstore_dev.ct_log import CtLog
from infra.sigstore_dev.issuer import Identity, Issuer

NAME = "fulcio"
LIFETIME = timedelta(minutes=10)
_MOST_BYTES = 64 << 10
_ISSUER_V1 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_ISSUER_V2 = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")


class Fulcio:
    """A certificate authority with a root, an intermediate and a certificate transparency log."""

    def __init__(self, issuer: Issuer, ct_log: CtLog, clock: Clock) -> None:
        self._issuer = issuer
        self._ct_log = ct_log
        self._clock = clock
        self.authority = new_authority(NAME, ExtendedKeyUsageOID.CODE_SIGNING, clock())

    def sign_certificate(self, body: bytes, token: str) -> dict[str, Any]:
        """The chain, leaf first; raises IntegrityError when token or request are not acceptable."""
        identity = self._issuer.identify(token)
        certificate = self._certificate(identity, _requested_key(body))
        chain = [_pem(each) for each in (certificate, *self.authority.certificates)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def trust_bundle(self) -> dict[str, Any]:
        """The answer of GET /api/v2/trustBundle."""
        return {"chains": [{"certificates": [_pem(each) for each in self.authority.certificates]}]}

    def _certificate(self, identity: Identity, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        # Its subject is empty, so the alternative name has to be critical (RFC 5280, 4.2.1.6).
        name = x509.RFC822Name if identity.is_person else x509.UniformResourceIdentifier
        certificate = (
            builder("", NAME, key, self.authority.key, self._clock().replace(microsecond=0), LIFETIME)
            .add_extension(key_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectAlternativeName([name(identity.subject)]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER_V1, identity.issuer.encode()), critical=False)
            .add_extension(
                x509.UnrecognizedExtension(_ISSUER_V2, asn1.encode_der(identity.issuer)), critical=False
            )
        )
        draft = certificate.sign(self.authority.key, hashes.SHA256())
        # The log signs the certificate without the extension that holds its signature: it comes last.
        timestamp = self._ct_log.timestamp(draft.tbs_certificate_bytes, self.authority.key)
        return certificate.add_extension(
            x509.UnrecognizedExtension(transparency.EXTENSION, timestamp), critical=False
        ).sign(self.authority.key, hashes.SHA256())


def _requested_key(body: bytes) -> ec.EllipticCurvePublicKey:
    """The key of the request, whose holder has signed it: the proof of possession."""
    document = parse_object(body, "certificate request", most_bytes=_MOST_BYTES)
    if document.keys() != {"certificateSigningRequest"}:
        raise IntegrityError(f"certificate request: got {sorted(document)}, expected a signing request alone")
    try:
        pem = base64.b64decode(document["certificateSigningRequest"], validate=True)
        request = x509.load_pem_x509_csr(pem)
        key, proven = request.public_key(), request.is_signature_valid
    except (TypeError, ValueError, binascii.Error) as error:
        raise IntegrityError(f"certificate request: malformed: {type(error).__name__}") from error
    if not proven:
        raise IntegrityError("certificate request: its signature does not prove possession of the key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IntegrityError("certificate request: not an EC P-256 key")
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
