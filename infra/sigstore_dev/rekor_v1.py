"""Rekor v1: logs `dsse` and `hashedrekord` entries, answers with a promise, a time and an inclusion proof.

rekor = RekorV1(clock)
rekor.add(request_body)          # the answer of POST /api/v1/log/entries

Entry kinds in version 0.0.1: github.com/sigstore/rekor, pkg/types.
"""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from infra.digest import canonical_json
from infra.errors import IntegrityError
from infra.signing.documents import parse_object
from infra.signing.dsse import pae
from infra.sigstore_dev.clock import Clock
from infra.sigstore_dev.log import TransparencyLog
from infra.sigstore_dev.merkle import leaf_hash
from infra.sigstore_dev.submissions import MOST_BYTES, check_signature, decoded, encoded, load_certificate

_ORIGIN = "rekor-v1.assay.invalid"
_VERSION = "0.0.1"


class RekorV1:
    """One log, signed with ECDSA P-256."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.log = TransparencyLog(_ORIGIN, ec.generate_private_key(ec.SECP256R1()))

    def add(self, request: bytes) -> dict[str, Any]:
        """Log what is proposed; raises IntegrityError when it is malformed or its signature does not fit."""
        body = canonical_json(_entry(parse_object(request, "log entry", most_bytes=MOST_BYTES)))
        entry = self.log.append(body)
        promised = {
            "body": encoded(body),
            "integratedTime": int(self._clock().timestamp()),
            "logID": self.log.key_id.hex(),
            "logIndex": entry.index,
        }
        proof = {
            "logIndex": entry.index,
            "treeSize": entry.size,
            "rootHash": entry.root.hex(),
            "hashes": [each.hex() for each in entry.proof],
            "checkpoint": entry.checkpoint,
        }
        # A signed entry timestamp: the promise to have the entry in the log, and when.
        promise = encoded(self.log.sign(canonical_json(promised)))
        verification = {"signedEntryTimestamp": promise, "inclusionProof": proof}
        return {leaf_hash(body).hex(): promised | {"verification": verification}}


def _entry(proposed: dict[str, Any]) -> dict[str, Any]:
    """The entry as it is logged: what can be recomputed is, and what is unknown is left out."""
    kind = proposed.get("kind")
    if proposed.get("apiVersion") != _VERSION or kind not in ("dsse", "hashedrekord"):
        raise IntegrityError(f"log entry: got {kind!r} {proposed.get('apiVersion')!r}, expected {_VERSION}")
    try:
        make = _dsse if kind == "dsse" else _hashedrekord
        return {"apiVersion": _VERSION, "kind": kind, "spec": make(proposed["spec"])}
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise IntegrityError(f"log entry: malformed {kind}: {type(error).__name__}") from error


def _dsse(spec: dict[str, Any]) -> dict[str, Any]:
    content = spec["proposedContent"]
    envelope = parse_object(content["envelope"].encode(), "log entry", most_bytes=MOST_BYTES)
    (signature,), (verifier,) = envelope["signatures"], content["verifiers"]
    payload = decoded(envelope["payload"], "payload")
    digest = hashlib.sha256(pae(payload, envelope["payloadType"])).digest()
    check_signature(
        load_certificate(decoded(verifier, "verifier")), decoded(signature["sig"], "signature"), digest
    )
    return {
        "envelopeHash": _sha256(content["envelope"].encode()),
        "payloadHash": _sha256(payload),
        "signatures": [{"signature": signature["sig"], "verifier": verifier}],
    }


def _hashedrekord(spec: dict[str, Any]) -> dict[str, Any]:
    digest, signature = spec["data"]["hash"], spec["signature"]
    verifier = signature["publicKey"]["content"]
    if digest["algorithm"] != "sha256":
        raise IntegrityError(f"log entry: got digest {digest['algorithm']!r}, expected 'sha256'")
    check_signature(
        load_certificate(decoded(verifier, "verifier")),
        decoded(signature["content"], "signature"),
        _from_hex(digest["value"]),
    )
    return {
        "data": {"hash": {"algorithm": "sha256", "value": digest["value"]}},
        "signature": {"content": signature["content"], "publicKey": {"content": verifier}},
    }


def _sha256(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise IntegrityError("log entry: digest is not hexadecimal") from error
