"""A timestamp authority: says when it saw a digest (RFC 3161), under a certificate for that purpose alone.

authority = TimestampAuthority(clock)
authority.answer(request_der)        # the DER answer of POST /api/v1/timestamp
"""

import hashlib
from datetime import timedelta
from typing import Any

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from infra.errors import IntegrityError
from infra.sigstore_dev.authorities import builder, key_usage, new_authority
from infra.sigstore_dev.clock import Clock

_NAME = "timestamp authority"
_LIFETIME = timedelta(days=3650)
_POLICY = "1.3.6.1.4.1.57264.2"
_MOST_BYTES = 4096
_SHA256_BYTES = 32


class TimestampAuthority:
    """Signs timestamps with a key below its own root."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        now = clock()
        above = new_authority(_NAME, ExtendedKeyUsageOID.TIME_STAMPING, now)
        self._key = ec.generate_private_key(ec.SECP256R1())
        start = now - timedelta(minutes=5)
        certificate = (
            builder(f"{_NAME} signer", _NAME, self._key, above.key, start, _LIFETIME)
            .add_extension(key_usage(digital_signature=True), critical=True)
            # RFC 3161, section 2.3: this purpose alone, and critical.
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
            .sign(above.key, hashes.SHA256())
        )
        self.certificates = (certificate, *above.certificates)
        self._signer_der = certificate.public_bytes(serialization.Encoding.DER)

    def answer(self, request: bytes) -> bytes:
        """The response to a query; raises IntegrityError when it is malformed or not about SHA-256."""
        query, digest = _query(request)
        content = {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
            "serial_number": x509.random_serial_number(),
            "gen_time": self._clock().replace(microsecond=0),
        }
        if (nonce := query["nonce"].native) is not None:
            content["nonce"] = nonce
        with_certificate = bool(query["cert_req"].native)
        token = self._signed(tsp.TSTInfo(content), with_certificate)
        response = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token})
        return bytes(response.dump())

    def _signed(self, content: Any, with_certificate: bool) -> Any:
        """CMS SignedData (RFC 5652) with the signer's certificate by hash (ESSCertIDv2, RFC 5816)."""
        certificate = asn1_x509.Certificate.load(self._signer_der)
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("message_digest", hashlib.sha256(content.dump()).digest()),
                _attribute(
                    "signing_certificate_v2",
                    tsp.SigningCertificateV2(
                        {"certs": [{"cert_hash": hashlib.sha256(self._signer_der).digest()}]}
                    ),
                ),
            ]
        )
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
            "signature": self._key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256())),
        }
        signed = {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {
                "content_type": "tst_info",
                "content": core.ParsableOctetString(content.dump()),
            },
            "signer_infos": [signer],
        }
        if with_certificate:
            signed["certificates"] = [certificate]
        return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed)})


def _query(request: bytes) -> tuple[Any, bytes]:
    if len(request) > _MOST_BYTES:
        raise IntegrityError(f"timestamp query: got {len(request)} bytes, expected at most {_MOST_BYTES}")
    try:
        query = tsp.TimeStampReq.load(request, strict=True)
        imprint = query["message_imprint"]
        algorithm, digest = imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native
    except (ValueError, TypeError, KeyError) as error:
        raise IntegrityError(f"timestamp query: malformed: {type(error).__name__}") from error
    if algorithm != "sha256" or len(digest) != _SHA256_BYTES:
        raise IntegrityError(f"timestamp query: got {algorithm!r}, expected a SHA-256 digest")
    return query, digest


def _attribute(kind: str, value: object) -> Any:
    return cms.CMSAttribute({"type": kind, "values": [value]})
