"""A certificate authority that is trusted but careless: what is still refused in its certificates."""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import TimestampRequestBuilder
from rfc3161_client.base import HashAlgorithm

from infra.digest import canonical_json, digest_bytes
from infra.errors import IntegrityError
from infra.signing.dsse import BUNDLE_TYPE, PAYLOAD_TYPE, pae, statement
from infra.signing.keyless import verify_keyless
from infra.signing.signer import SignerIdentity
from infra.sigstore_dev import Instance, ct_log
from infra.sigstore_dev.authorities import builder, key_usage
from infra.sigstore_dev.clock import system_clock
from infra.sigstore_dev.fulcio import NAME

URL = "https://sigstore.invalid"
CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {})
V1, V2 = (x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}") for number in (1, 8))


def issuers(v1: str | None = URL, v2: str | None = URL) -> list[x509.UnrecognizedExtension]:
    first = [x509.UnrecognizedExtension(V1, v1.encode())] if v1 is not None else []
    return first + ([x509.UnrecognizedExtension(V2, asn1.encode_der(v2))] if v2 is not None else [])


def forge(
    instance: Instance,
    names: Sequence[x509.GeneralName] = (x509.RFC822Name("ann@example.com"),),
    issuer: Sequence[x509.ExtensionType] | None = None,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
    usage: x509.KeyUsage | None = None,
    payload: bytes = canonical_json(CONTENT),
    payload_type: str = PAYLOAD_TYPE,
) -> bytes:
    """A bundle whose certificate says what it should not; everything else about it is as it should be."""
    key, authority = ec.generate_private_key(ec.SECP256R1()), instance.fulcio.authority
    start = system_clock().replace(microsecond=0)
    certificate = builder("", NAME, key, authority.key, start, timedelta(minutes=10))
    for extension, critical in (
        (usage or key_usage(digital_signature=True), True),
        (x509.ExtendedKeyUsage([purpose]), False),
        *([(x509.SubjectAlternativeName(names), True)] if names else []),
        *((each, False) for each in (issuers() if issuer is None else issuer)),
    ):
        certificate = certificate.add_extension(extension, critical=critical)
    draft = certificate.sign(authority.key, hashes.SHA256())
    timestamp = instance.ct_log.timestamp(draft.tbs_certificate_bytes, authority.key)
    final = certificate.add_extension(
        x509.UnrecognizedExtension(ct_log.EXTENSION, timestamp), critical=False
    ).sign(authority.key, hashes.SHA256())
    signature = key.sign(pae(payload, payload_type), ec.ECDSA(hashes.SHA256()))
    return bundle(instance, final, payload, payload_type, signature)


def bundle(
    instance: Instance, certificate: x509.Certificate, payload: bytes, payload_type: str, signature: bytes
) -> bytes:
    der = encoded(certificate.public_bytes(serialization.Encoding.DER))
    verifier = {"x509Certificate": {"rawBytes": der}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
    digest = encoded(hashlib.sha256(pae(payload, payload_type)).digest())
    request = {"digest": digest, "signature": {"content": encoded(signature), "verifier": verifier}}
    entry = instance.rekor_v2.add(json.dumps({"hashedRekordRequestV002": request}).encode())
    document: dict[str, Any] = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {
            "certificate": {"rawBytes": der},
            "tlogEntries": [entry],
            "timestampVerificationData": {
                "rfc3161Timestamps": [{"signedTimestamp": encoded(timestamp(instance, signature))}]
            },
        },
        "dsseEnvelope": {
            "payload": encoded(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": encoded(signature)}],
        },
    }
    return json.dumps(document).encode()


def timestamp(instance: Instance, data: bytes) -> bytes:
    query = TimestampRequestBuilder().hash_algorithm(HashAlgorithm.SHA256).data(data).build()
    return instance.timestamps.answer(query.as_bytes())


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance(URL)


@pytest.fixture(scope="module")
def trust(instance: Instance) -> bytes:
    return json.dumps(instance.trust_config()).encode()


def test_the_forgery_is_good_where_nothing_is_forged(instance: Instance, trust: bytes) -> None:
    ann = SignerIdentity("ann@example.com", URL)
    assert verify_keyless(forge(instance), trust, "x") == (CONTENT, ann)
    # Certificates of the first years name the issuer once.
    assert verify_keyless(forge(instance, issuer=issuers(v2=None)), trust, "x") == (CONTENT, ann)


CODE_SIGNING = "does not contain `code signing`"
ONE_NAME, ONE_ISSUER = "exactly one e-mail address or URI", "does not name one issuer"
FORGERIES: dict[str, tuple[dict[str, Any], str]] = {
    "server certificate": ({"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, CODE_SIGNING),
    "certificate for timestamps": ({"purpose": ExtendedKeyUsageOID.TIME_STAMPING}, CODE_SIGNING),
    "key that may not sign": ({"usage": key_usage(certificate_signing=True)}, "keyUsage"),
    "no name": ({"names": ()}, "SubjectAlternativeName"),
    "two names": ({"names": [x509.RFC822Name(f"{name}@example.com") for name in ("ann", "bob")]}, ONE_NAME),
    "name of a host": ({"names": (x509.DNSName("example.com"),)}, ONE_NAME),
    "other kind of name": (
        {"names": (x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7"), asn1.encode_der("ann")),)},
        ONE_NAME,
    ),
    "no issuer": ({"issuer": ()}, ONE_ISSUER),
    "issuer in the new form alone": ({"issuer": issuers(v1=None)}, ONE_ISSUER),
    "two issuers": ({"issuer": issuers(v2="https://accounts.example")}, ONE_ISSUER),
    "empty issuer": ({"issuer": issuers(v1="", v2="")}, ONE_ISSUER),
    "issuer that is no text": ({"issuer": (x509.UnrecognizedExtension(V1, b"\xff"),)}, "UnicodeDecodeError"),
    "issuer that is no DER": (
        {"issuer": (*issuers(v2=None), x509.UnrecognizedExtension(V2, b"https"))},
        "asn1",
    ),
    "payload of another type": ({"payload_type": "text/plain"}, "got payload 'text/plain'"),
    "payload that is no JSON": ({"payload": b"hello"}, "not JSON"),
    "payload with a key twice": ({"payload": b'{"_type":"a","_type":"b"}'}, "the same key twice"),
    "statement of an older kind": (
        {"payload": b'{"_type":"https://in-toto.io/Statement/v0.1"}'},
        "got statement",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_careless_authority_is_not_enough(instance: Instance, trust: bytes, name: str) -> None:
    changes, why = FORGERIES[name]
    forged = forge(instance, **changes)
    with pytest.raises(IntegrityError, match=rf"^x: .*{why}"):
        verify_keyless(forged, trust, "x")
