"""Envelopes and OMS statements: every liberty that a lenient reader would take is refused."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from infra.digest import digest_bytes
from infra.errors import IntegrityError
from infra.signing.dsse import pae, sign_statement, statement, subjects_of, verify_statement
from infra.signing.keys import PublicKey, create_key, describe, load_private_key, load_public_key
from infra.signing.oms import check_model_statement, model_statement, root_digest

FILES = {"a.json": digest_bytes(b"a"), "b/c.txt": digest_bytes(b"c")}
CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {"answer": 42})


@pytest.fixture
def key(tmp_path: Path) -> ec.EllipticCurvePrivateKey:
    return load_private_key(create_key(tmp_path / "keys").private)


@pytest.fixture
def trusted(key: ec.EllipticCurvePrivateKey) -> list[PublicKey]:
    return [describe(key.public_key())]


def edit(bundle: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(bundle)
    change(document)
    return json.dumps(document).encode()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


ALTERATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "media type": lambda d: d.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"),
    "payload type": lambda d: d["dsseEnvelope"].update(payloadType="text/plain"),
    "payload": lambda d: d["dsseEnvelope"].update(payload=b64(b'{"_type": "x"}')),
    "payload not base64": lambda d: d["dsseEnvelope"].update(payload="!"),
    "payload not text": lambda d: d["dsseEnvelope"].update(payload=7),
    "signature": lambda d: d["dsseEnvelope"]["signatures"][0].update(sig=b64(b"0" * 70)),
    "empty signature": lambda d: d["dsseEnvelope"]["signatures"][0].update(sig=""),
    "no signature": lambda d: d["dsseEnvelope"].update(signatures=[]),
    "two signatures": lambda d: d["dsseEnvelope"]["signatures"].append(d["dsseEnvelope"]["signatures"][0]),
    "signatures no list": lambda d: d["dsseEnvelope"].update(signatures={"0": 1}),
    "forged key id": lambda d: d["dsseEnvelope"]["signatures"][0].update(keyid=digest_bytes(b"x")),
    "no hint": lambda d: d["verificationMaterial"]["publicKey"].update(hint=""),
    "other hint": lambda d: d["verificationMaterial"]["publicKey"].update(hint="0" * 64),
    "no material": lambda d: d.pop("verificationMaterial"),
    "material no object": lambda d: d.update(verificationMaterial=["publicKey"]),
    "no envelope": lambda d: d.pop("dsseEnvelope"),
    "log entry": lambda d: d["verificationMaterial"].update(tlogEntries=[{}]),
    "certificate": lambda d: d["verificationMaterial"].update(certificate={"rawBytes": "AA=="}),
    "more fields": lambda d: d.update(more=1),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_bundle_is_refused(
    key: ec.EllipticCurvePrivateKey, trusted: list[PublicKey], name: str
) -> None:
    bundle = edit(sign_statement(CONTENT, key), ALTERATIONS[name])
    with pytest.raises(IntegrityError, match=r"^x\.sig: "):
        verify_statement(bundle, trusted, "x.sig")


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"null", b"\xff\xfe", b'{"a":NaN}', b'{"a":1,"a":1}', b"{" * 99_999, b" " * (5 << 20)],
)
def test_what_is_no_json_object_is_refused(trusted: list[PublicKey], data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^x\.sig: "):
        verify_statement(data, trusted, "x.sig")


def test_another_key_and_no_key_are_refused(key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    bundle = sign_statement(CONTENT, key)
    other = load_public_key(create_key(tmp_path / "other").public)
    for trusted in ([], [other]):
        with pytest.raises(IntegrityError, match="not trusted"):
            verify_statement(bundle, trusted, "x.sig")
    # A hint is only a hint: with the trusted key's name on it, the signature still has to fit.
    forged = edit(bundle, lambda d: d["verificationMaterial"]["publicKey"].update(hint=other.hint))
    forged = edit(forged, lambda d: d["dsseEnvelope"]["signatures"][0].update(keyid=""))
    with pytest.raises(IntegrityError, match="does not fit its content"):
        verify_statement(forged, [other], "x.sig")


def test_what_is_signed_but_no_statement_is_refused(
    key: ec.EllipticCurvePrivateKey, trusted: list[PublicKey]
) -> None:
    payload = b'{"_type": "https://in-toto.io/Statement/v0.1"}'
    signature = key.sign(pae(payload), ec.ECDSA(hashes.SHA256()))

    def swap(document: dict[str, Any]) -> None:
        document["dsseEnvelope"]["payload"] = b64(payload)
        document["dsseEnvelope"]["signatures"][0]["sig"] = b64(signature)

    with pytest.raises(IntegrityError, match=r"expected .https://in-toto\.io/Statement/v1"):
        verify_statement(edit(sign_statement(CONTENT, key), swap), trusted, "x.sig")


@pytest.mark.parametrize("subject", [None, [], "x", [{"name": "a"}], [1], [{"name": "a", "digest": {}}]])
def test_malformed_subjects_are_refused(subject: object) -> None:
    with pytest.raises(IntegrityError, match="subject"):
        subjects_of({**CONTENT, "subject": subject}, "x")


def test_repeated_subjects_are_refused() -> None:
    with pytest.raises(IntegrityError, match="repeated"):
        subjects_of({**CONTENT, "subject": CONTENT["subject"] * 2}, "x")


def test_a_good_bundle_gives_its_statement(
    key: ec.EllipticCurvePrivateKey, trusted: list[PublicKey], tmp_path: Path
) -> None:
    other = load_public_key(create_key(tmp_path / "other").public)
    assert verify_statement(sign_statement(CONTENT, key), [other, *trusted], "x.sig") == CONTENT
    # The protocol's own test vector (dsse v1.0, protocol.md).
    assert pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def _predicate(content: dict[str, Any]) -> dict[str, Any]:
    return content["predicate"]  # type: ignore[no-any-return]  # parsed JSON


OMS_ALTERATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "old predicate": lambda c: c.update(predicateType="https://model_signing/Digests/v0.1"),
    "ignored weights": lambda c: _predicate(c)["serialization"].update(ignore_paths=["model.safetensors"]),
    "ignored no list": lambda c: _predicate(c)["serialization"].update(ignore_paths="model.safetensors"),
    "links allowed": lambda c: _predicate(c)["serialization"].update(allow_symlinks=True),
    "shards": lambda c: _predicate(c)["serialization"].update(method="shards"),
    "other hash": lambda c: _predicate(c)["serialization"].update(hash_type="blake2b"),
    "no serialization": lambda c: _predicate(c).pop("serialization"),
    "file dropped": lambda c: _predicate(c)["resources"].pop(),
    "file repeated": lambda c: _predicate(c)["resources"].append(_predicate(c)["resources"][0]),
    "order": lambda c: _predicate(c)["resources"].reverse(),
    "digest": lambda c: _predicate(c)["resources"][0].update(digest="0" * 64),
    "algorithm": lambda c: _predicate(c)["resources"][0].update(algorithm="md5"),
    "escape": lambda c: _predicate(c)["resources"][0].update(name="../secret"),
    "root": lambda c: c["subject"][0]["digest"].update(sha256="0" * 64),
    "two subjects": lambda c: c["subject"].append({"name": "x", "digest": {"sha256": "0" * 64}}),
    "no predicate": lambda c: c.update(predicate=None),
    "resources no list": lambda c: _predicate(c).update(resources=3),
}


@pytest.mark.parametrize("name", OMS_ALTERATIONS)
def test_an_altered_model_statement_is_refused(name: str) -> None:
    content = json.loads(json.dumps(model_statement("adapter", FILES)))
    assert check_model_statement(content, FILES, "adapter.sig") == root_digest(FILES)
    OMS_ALTERATIONS[name](content)
    with pytest.raises(IntegrityError, match=r"^adapter\.sig: "):
        check_model_statement(content, FILES, "adapter.sig")


def test_an_empty_model_is_refused() -> None:
    with pytest.raises(IntegrityError, match="no files"):
        check_model_statement(model_statement("adapter", {}), {}, "adapter.sig")
