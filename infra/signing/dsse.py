"""DSSE envelopes in the shape of Sigstore bundles v0.3, signed by a key; needs cryptography alone.

bundle = sign_statement(statement, private_key)
verify_statement(bundle, trusted_keys, "adapter.sig")   # the statement, or VerificationError

Formats: DSSE protocol v1.0 (secure-systems-lab), in-toto Statement v1, Sigstore bundle v0.3.
"""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from infra.digest import canonical_json, hex_of
from infra.refusal import Reason, VerificationError
from infra.signing.documents import parse_object
from infra.signing.keys import PublicKey, describe

BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MOST_BYTES = 4 << 20


def statement(
    subjects: Mapping[str, str], predicate_type: str, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """An in-toto Statement v1 about `{name: digest}` subjects."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": name, "digest": {"sha256": hex_of(digest)}} for name, digest in sorted(subjects.items())
        ],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def sign_statement(content: Mapping[str, Any], key: ec.EllipticCurvePrivateKey) -> bytes:
    """The bundle (JSON bytes) that holds `content` and its signature."""
    return sign_with(
        content, describe(key.public_key()), lambda data: key.sign(data, ec.ECDSA(hashes.SHA256()))
    )


def sign_with(content: Mapping[str, Any], signer: PublicKey, sign: Callable[[bytes], bytes]) -> bytes:
    """The bundle of a key that is somewhere else: `sign` gives its DER ECDSA signature over SHA-256."""
    payload = canonical_json(dict(content))
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": signer.hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(sign(pae(payload))).decode(), "keyid": signer.key_id}],
        },
    }
    return json.dumps(bundle, indent=1).encode() + b"\n"


def verify_statement(bundle: bytes, trusted: Sequence[PublicKey], name: str) -> dict[str, Any]:
    """The in-toto statement that one of the trusted keys signed; raises VerificationError naming `name`."""
    return verify_signed(bundle, trusted, name)[0]


def verify_signed(bundle: bytes, trusted: Sequence[PublicKey], name: str) -> tuple[dict[str, Any], PublicKey]:
    """The in-toto statement, and which of the trusted keys signed it; raises VerificationError."""
    document = parse_object(bundle, name, most_bytes=MOST_BYTES)
    envelope, hint = _envelope(document, name)
    signature = envelope["signatures"][0]
    key = _key_for(hint, str(signature.get("keyid", "")), trusted, name)
    payload = _decoded(envelope["payload"], name)
    try:
        key.key.verify(_decoded(signature["sig"], name), pae(payload), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise VerificationError(
            Reason.SIGNATURE_INVALID, f"{name}: signature does not fit its content (key {key.key_id})"
        ) from error
    content = parse_object(payload, name, most_bytes=MOST_BYTES)
    if content.get("_type") != STATEMENT_TYPE:
        raise VerificationError(
            Reason.FORMAT_UNKNOWN,
            f"{name}: got statement {content.get('_type')!r}, expected {STATEMENT_TYPE!r}",
        )
    return content, key


def subjects_of(content: Mapping[str, Any], name: str) -> dict[str, str]:
    """`{name: digest}` of a statement's subjects; raises VerificationError for any other form."""
    subjects = content.get("subject")
    try:
        found = {str(each["name"]): "sha256:" + str(each["digest"]["sha256"]) for each in subjects or []}
    except (TypeError, KeyError) as error:
        raise VerificationError(Reason.WRONG_SUBJECT, f"{name}: malformed subject") from error
    if not found or not isinstance(subjects, list) or len(found) != len(subjects):
        raise VerificationError(Reason.WRONG_SUBJECT, f"{name}: subjects are absent or repeated")
    return found


def pae(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """DSSE pre-authentication encoding: what is really signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def _envelope(document: Mapping[str, Any], name: str) -> tuple[dict[str, Any], str]:
    if document.get("mediaType") != BUNDLE_TYPE:
        raise VerificationError(
            Reason.FORMAT_UNKNOWN,
            f"{name}: got media type {document.get('mediaType')!r}, expected {BUNDLE_TYPE!r}",
        )
    try:
        material, envelope = document["verificationMaterial"], document["dsseEnvelope"]
        hint, signatures = material["publicKey"]["hint"], envelope["signatures"]
        texts = (hint, envelope["payload"], envelope["payloadType"], signatures[0]["sig"])
        _check_keys(document, material, envelope, signatures[0], name)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise VerificationError(
            Reason.MALFORMED, f"{name}: not a DSSE bundle signed by a key: {error!r}"
        ) from error
    if not all(isinstance(text, str) and text for text in texts):
        raise VerificationError(Reason.MALFORMED, f"{name}: hint, payload, payloadType and sig must be text")
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise VerificationError(
            Reason.FORMAT_UNKNOWN,
            f"{name}: got payload {envelope['payloadType']!r}, expected {PAYLOAD_TYPE!r}",
        )
    if len(signatures) != 1:
        raise VerificationError(
            Reason.MALFORMED, f"{name}: got {len(signatures)} signatures, expected exactly one"
        )
    return envelope, hint


def _check_keys(document: Any, material: Any, envelope: Any, signature: Any, name: str) -> None:
    # The wrapper is not signed: whatever it says beyond the known fields could only mislead.
    known = (
        (document, {"mediaType", "verificationMaterial", "dsseEnvelope"}),
        (material, {"publicKey", "tlogEntries"}),
        (material["publicKey"], {"hint"}),
        (envelope, {"payload", "payloadType", "signatures"}),
        (signature, {"sig", "keyid"}),
    )
    for part, keys in known:
        if unknown := set(part.keys()) ^ keys:
            raise VerificationError(
                Reason.MALFORMED, f"{name}: unexpected or missing field {sorted(unknown)[0]!r}"
            )
    if material["tlogEntries"] != []:
        raise VerificationError(
            Reason.MALFORMED, f"{name}: transparency log entries in a bundle signed by a key"
        )


def _key_for(hint: str, key_id: str, trusted: Sequence[PublicKey], name: str) -> PublicKey:
    for key in trusted:
        # OMS signers leave keyid empty; one that names another key is a contradiction.
        if hint == key.hint and key_id in ("", key.key_id):
            return key
    raise VerificationError(
        Reason.SIGNER_UNTRUSTED,
        f"{name}: signed by a key that is not trusted: {key_id or hint}",
        hint="trusted: " + (", ".join(key.key_id for key in trusted) or "no key at all"),
    )


def _decoded(text: object, name: str) -> bytes:
    try:
        data = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerificationError(Reason.MALFORMED, f"{name}: malformed base64") from error
    if base64.b64encode(data).decode() != text:  # spare bits of the last character: two texts, one meaning
        raise VerificationError(Reason.MALFORMED, f"{name}: base64 is not in canonical form")
    return data
