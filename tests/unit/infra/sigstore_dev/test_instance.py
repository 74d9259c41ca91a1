"""What the private services refuse: requests without proof, foreign tokens, garbage, and too much of it."""

import base64
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from infra.errors import ConfigError, IntegrityError
from infra.sigstore_dev import Instance, serving
from infra.sigstore_dev.issuer import Issuer
from infra.sigstore_dev.submissions import MOST_BYTES
from tests.private_sigstore import ANN, MovedClock

URL = "http://127.0.0.1:1"
POSTS = ("/token", "/api/v2/signingCert", "/api/v1/log/entries", "/api/v2/log/entries", "/api/v1/timestamp")


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance(URL)


@pytest.fixture
def address() -> Iterator[str]:
    with serving() as running:
        yield running.url


def request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    """A signing request as clients send it."""
    made = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return wrapped(made.public_bytes(serialization.Encoding.PEM))


def wrapped(pem: bytes) -> bytes:
    return json.dumps({"certificateSigningRequest": base64.b64encode(pem).decode()}).encode()


def message(instance: Instance, path: str, body: bytes, bearer: str = "") -> str:
    answer = instance.answer("POST", path, body, bearer)
    assert answer.status == 400, answer
    return str(json.loads(answer.body)["message"])


# ── issuer ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("subject", ["", "ann", "ann@", "http://ci.example", "a b@c.example", "https://", 7])
def test_only_people_and_workloads_get_tokens(instance: Instance, subject: Any) -> None:
    with pytest.raises(IntegrityError, match="no identity"):
        instance.issuer.token(subject)


def test_foreign_expired_early_and_unsigned_tokens_are_refused() -> None:
    clock = MovedClock()
    issuer = Issuer(URL, clock)
    good = issuer.token(ANN)
    assert issuer.identify(good).subject == ANN
    claims = jwt.decode(good, options={"verify_signature": False})
    bad = [
        "",
        "a.b.c",
        good[:-4],
        Issuer(URL, clock).token(ANN),
        issuer.token(ANN, audience="other"),
        issuer.token(ANN, lifetime=timedelta(0)),
        jwt.encode(claims, "", algorithm="none"),
        # A public value taken for a secret: the classic confusion of algorithms.
        jwt.encode(claims, issuer.jwks()["keys"][0]["x"], algorithm="HS256"),
    ]
    for token in bad:
        with pytest.raises(IntegrityError, match="identity token refused"):
            issuer.identify(token)
    clock.offset = timedelta(hours=1)
    with pytest.raises(IntegrityError, match="expired"):
        issuer.identify(good)
    clock.offset = timedelta(hours=-1)
    with pytest.raises(IntegrityError, match="not valid yet"):
        issuer.identify(good)


def test_the_published_key_verifies_tokens(instance: Instance) -> None:
    discovery = json.loads(instance.answer("GET", "/.well-known/openid-configuration", b"", "").body)
    assert discovery["issuer"] == URL
    (key,) = json.loads(instance.answer("GET", "/jwks", b"", "").body)["keys"]
    claims = jwt.decode(instance.issuer.token(ANN), jwt.PyJWK(key).key, ["ES256"], audience="sigstore")
    assert (claims["sub"], claims["email"], claims["iss"]) == (ANN, ANN, URL)


def test_tokens_are_for_those_who_know_the_secret(instance: Instance) -> None:
    wish = json.dumps({"subject": ANN}).encode()
    for bearer in ("", "wrong", instance.secret + "x", "ü"):
        assert "secret" in message(instance, "/token", wish, bearer)
    answer = instance.answer("POST", "/token", wish, instance.secret)
    assert instance.issuer.identify(json.loads(answer.body)["token"]).subject == ANN
    assert "subject alone" in message(instance, "/token", b'{"subject":"a@b.c","aud":"x"}', instance.secret)


# ── Fulcio ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_certificate_needs_a_token_and_a_key_in_hand(instance: Instance) -> None:
    key, token = ec.generate_private_key(ec.SECP256R1()), instance.issuer.token(ANN)
    path = "/api/v2/signingCert"
    assert instance.answer("POST", path, request(key), token).status == 200
    assert "token refused" in message(instance, path, request(key), "")
    for other in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        assert "not an EC P-256 key" in message(instance, path, request(other), token)
    pem = base64.b64decode(json.loads(request(key))["certificateSigningRequest"])
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    stolen = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    assert "possession" in message(instance, path, wrapped(stolen), token)
    name = b"certificateSigningRequest"
    for body in (b"{}", wrapped(b"x"), b'{"%b":7}' % name, b'{"%b":"!"}' % name):
        assert "certificate request" in message(instance, path, body, token)


def test_the_certificate_names_the_signer_for_ten_minutes(instance: Instance) -> None:
    key, token = ec.generate_private_key(ec.SECP256R1()), instance.issuer.token(ANN)
    answer = json.loads(instance.answer("POST", "/api/v2/signingCert", request(key), token).body)
    chain = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"]
    leaf, issuing, root = (x509.load_pem_x509_certificate(each.encode()) for each in chain)
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(minutes=10)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert (list(names.value), names.critical) == ([x509.RFC822Name(ANN)], True)
    assert all("NOT FOR PRODUCTION" in each.issuer.rfc4514_string() for each in (leaf, issuing, root))


# ── Rekor, timestamps ───────────────────────────────────────────────────────────────────────────────────


def test_a_log_entry_needs_a_signature_that_fits(instance: Instance) -> None:
    key, token = ec.generate_private_key(ec.SECP256R1()), instance.issuer.token(ANN)
    answer = json.loads(instance.answer("POST", "/api/v2/signingCert", request(key), token).body)
    pem = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0].encode()
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"data")
    value = digest.finalize()
    sound, other = (b64(key.sign(data, ec.ECDSA(hashes.SHA256()))) for data in (b"data", b"other"))

    def v1(signature: str) -> bytes:
        public = {"content": signature, "publicKey": {"content": b64(pem)}}
        spec = {"data": {"hash": {"algorithm": "sha256", "value": value.hex()}}, "signature": public}
        return json.dumps({"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}).encode()

    def v2(signature: str) -> bytes:
        verifier = {"x509Certificate": {"rawBytes": b64(der)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
        entry = {"digest": b64(value), "signature": {"content": signature, "verifier": verifier}}
        return json.dumps({"hashedRekordRequestV002": entry}).encode()

    for path, body in (("/api/v1/log/entries", v1), ("/api/v2/log/entries", v2)):
        assert instance.answer("POST", path, body(sound), "").status == 201
        for signature in (other, "", "!", b64(b"x")):
            assert "log entry" in message(instance, path, body(signature))


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_only_sha256_is_timestamped(instance: Instance) -> None:
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    query = TimestampRequestBuilder().data(b"x").hash_algorithm(HashAlgorithm.SHA512).build().as_bytes()
    assert "sha512" in message(instance, "/api/v1/timestamp", query)
    assert "expected at most" in message(instance, "/api/v1/timestamp", b"0" * 5000)


# ── anything at all ─────────────────────────────────────────────────────────────────────────────────────

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
NAMES = st.sampled_from(
    [
        *("apiVersion", "kind", "spec", "data", "hash", "signature", "publicKey", "content", "digest"),
        *("proposedContent", "envelope", "verifiers", "hashedRekordRequestV002", "certificateSigningRequest"),
    ]
)
DOCUMENTS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12)
KINDS = st.sampled_from(["dsse", "hashedrekord"])


BODIES = st.binary(max_size=200) | DOCUMENTS.map(lambda document: json.dumps(document).encode())


@given(path=st.sampled_from(POSTS), body=BODIES)
def test_garbage_is_refused_and_nothing_else_happens(instance: Instance, path: str, body: bytes) -> None:
    token = instance.secret if path == "/token" else instance.issuer.token(ANN)
    assert instance.answer("POST", path, body, token).status == 400


@given(kind=KINDS, spec=DOCUMENTS)
def test_a_malformed_entry_of_a_known_kind_is_refused(instance: Instance, kind: str, spec: Any) -> None:
    body = json.dumps({"apiVersion": "0.0.1", "kind": kind, "spec": spec}).encode()
    message(instance, "/api/v1/log/entries", body)


def test_unknown_addresses_are_not_found(instance: Instance) -> None:
    for wanted in ("GET /", "POST /", "GET /token", "PUT /token", "GET /jwks?x"):
        method, path = wanted.split()
        assert instance.answer(method, path, b"", "").status == 404


# ── over HTTP ───────────────────────────────────────────────────────────────────────────────────────────


def raw(address: str, request: bytes) -> bytes:
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request)
        return connection.recv(64)


def test_bodies_without_a_length_or_too_long_are_not_read(address: str) -> None:
    for header, status in (
        (b"", b"411"),
        (b"Transfer-Encoding: chunked\r\n", b"411"),
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"411"),
        (b"Content-Length: -1\r\n", b"411"),
        (b"Content-Length: 1_0\r\n", b"411"),
        (f"Content-Length: {MOST_BYTES + 1}\r\n".encode(), b"413"),
    ):
        answer = raw(address, b"POST /api/v1/log/entries HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 " + status), answer


def test_it_answers_on_this_machine_alone(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")
    assert httpx.get(f"{address}/api/v2/trustBundle").json()["chains"]
    assert httpx.put(f"{address}/token").status_code == 501


def test_a_port_that_is_taken_is_named(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"port {port}"), serving(port):
        raise AssertionError
