"""What logs ask of a submission: bytes that are base64, and a signature that its certificate made.

data = decoded(text, "signature")
certificate = load_certificate(der)
check_signature(certificate, signature, digest)          # IntegrityError unless it fits
"""

import base64
import binascii

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from infra.errors import IntegrityError

MOST_BYTES = 8 << 20


def decoded(text: object, what: str) -> bytes:
    """The bytes behind base64 text; raises IntegrityError."""
    try:
        return base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise IntegrityError(f"log entry: {what} is not base64") from error


def encoded(data: bytes) -> str:
    """Base64 text."""
    return base64.b64encode(data).decode()


def load_certificate(data: bytes) -> x509.Certificate:
    """A certificate in PEM or DER; raises IntegrityError."""
    try:
        pem = data.startswith(b"-----BEGIN")
        return x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise IntegrityError("log entry: malformed certificate") from error


def check_signature(certificate: x509.Certificate, signature: bytes, digest: bytes) -> None:
    """Raises IntegrityError unless the certificate's EC key signed this SHA-256 digest."""
    try:
        key = certificate.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise IntegrityError("log entry: not signed by an EC key")
        key.verify(signature, digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise IntegrityError("log entry: the signature does not fit") from error
