"""Rekor v2: logs `hashedrekord` entries alone and gives no time: that is a timestamp authority's word.

rekor = RekorV2()
rekor.add(request_body)          # the answer of POST /api/v2/log/entries

Entry kind hashedrekord 0.0.2: github.com/sigstore/rekor-tiles. A DSSE envelope comes as the digest of its
pre-authentication encoding.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519

from infra.digest import canonical_json
from infra.errors import IntegrityError
from infra.signing.documents import parse_object
from infra.sigstore_dev.log import TransparencyLog
from infra.sigstore_dev.submissions import MOST_BYTES, check_signature, decoded, encoded, load_certificate

_ORIGIN = "rekor-v2.assay.invalid"
_KIND = {"kind": "hashedrekord", "version": "0.0.2"}
_KEY_DETAILS = "PKIX_ECDSA_P256_SHA_256"


class RekorV2:
    """One log, signed with Ed25519."""

    def __init__(self) -> None:
        self.log = TransparencyLog(_ORIGIN, ed25519.Ed25519PrivateKey.generate())

    def add(self, request: bytes) -> dict[str, Any]:
        """Log what is proposed; raises IntegrityError when it is malformed or its signature does not fit."""
        body = canonical_json(_entry(parse_object(request, "log entry", most_bytes=MOST_BYTES)))
        entry = self.log.append(body)
        return {
            "logIndex": str(entry.index),
            "logId": {"keyId": encoded(self.log.key_id)},
            "kindVersion": dict(_KIND),
            "inclusionProof": {
                "logIndex": str(entry.index),
                "rootHash": encoded(entry.root),
                "treeSize": str(entry.size),
                "hashes": [encoded(each) for each in entry.proof],
                "checkpoint": {"envelope": entry.checkpoint},
            },
            "canonicalizedBody": encoded(body),
        }


def _entry(proposed: dict[str, Any]) -> dict[str, Any]:
    if proposed.keys() != {"hashedRekordRequestV002"}:
        raise IntegrityError(f"log entry: got {sorted(proposed)}, expected hashedRekordRequestV002 alone")
    try:
        request = proposed["hashedRekordRequestV002"]
        signature, verifier = request["signature"]["content"], request["signature"]["verifier"]
        certificate, details = verifier["x509Certificate"]["rawBytes"], verifier["keyDetails"]
        digest = decoded(request["digest"], "digest")
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"log entry: malformed: {type(error).__name__}") from error
    if details != _KEY_DETAILS:
        raise IntegrityError(f"log entry: got a key of type {details!r}, expected {_KEY_DETAILS!r}")
    check_signature(
        load_certificate(decoded(certificate, "certificate")), decoded(signature, "signature"), digest
    )
    return {
        "apiVersion": _KIND["version"],
        "kind": _KIND["kind"],
        "spec": {
            "hashedRekordV002": {
                "data": {"algorithm": "SHA2_256", "digest": encoded(digest)},
                "signature": {
                    "content": signature,
                    "verifier": {"x509Certificate": {"rawBytes": certificate}, "keyDetails": details},
                },
            }
        },
    }
