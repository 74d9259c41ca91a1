"""The certificate transparency log: a promise, inside each certificate, that the certificate is public.

log = CtLog(clock)
list_der = log.timestamp(tbs_certificate, issuer_key)    # the extension's value, for `EXTENSION`

Signed certificate timestamps of RFC 6962, section 3.2, over a precertificate; no tree is kept behind them.
"""

import hashlib
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ObjectIdentifier

from infra.sigstore_dev.clock import Clock
from infra.sigstore_dev.log import public_der

EXTENSION = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_VERSION_1, _CERTIFICATE_TIMESTAMP, _PRECERTIFICATE = 0, 0, 1
_SHA256_ECDSA = b"\x04\x03"
_NO_EXTENSIONS = b"\x00\x00"


class CtLog:
    """Signs timestamps under one key."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.public_der = public_der(self._key)
        self.key_id = hashlib.sha256(self.public_der).digest()

    def timestamp(self, tbs_certificate: bytes, issuer: ec.EllipticCurvePrivateKey) -> bytes:
        """The SCT list (an OCTET STRING in DER) for a certificate that does not have it yet."""
        milliseconds = struct.pack("!Q", int(self._clock().timestamp() * 1000))
        signed = (
            struct.pack("!BB", _VERSION_1, _CERTIFICATE_TIMESTAMP)
            + milliseconds
            + struct.pack("!H", _PRECERTIFICATE)
            + hashlib.sha256(public_der(issuer)).digest()
            + len(tbs_certificate).to_bytes(3, "big")
            + tbs_certificate
            + _NO_EXTENSIONS
        )
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        timestamp = (
            bytes([_VERSION_1])
            + self.key_id
            + milliseconds
            + _NO_EXTENSIONS
            + _SHA256_ECDSA
            + _with_length(signature)
        )
        return _octet_string(_with_length(_with_length(timestamp)))


def _with_length(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data


def _octet_string(data: bytes) -> bytes:
    if len(data) < 128:
        return bytes([4, len(data)]) + data
    return bytes([4, 0x81, len(data)]) + data
