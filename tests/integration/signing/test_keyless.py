"""Keyless signatures that count: who signed is known, with no service running, long after the certificate."""

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from infra.digest import digest_bytes
from infra.signing.dsse import statement
from infra.signing.keyless import KeylessSigner, verify_keyless
from infra.signing.signer import Signer, SignerIdentity
from infra.sigstore_dev import serving
from infra.sigstore_dev.trust_config import RekorVersion
from tests.private_sigstore import ANN, MovedClock, PrivateSigstore

CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {"words": "größer", "answer": 42})
JOB = "https://ci.example/project/.pipelines/release@refs/heads/main"


@pytest.mark.parametrize("rekor", [1, 2])
@pytest.mark.parametrize("subject", [ANN, JOB, "spiffe://cluster.example/ns/train/sa/worker"])
def test_the_statement_and_its_signer_come_back(
    sigstore: PrivateSigstore, rekor: RekorVersion, subject: str
) -> None:
    place = replace(sigstore, rekor=rekor)
    signer: Signer = place.signer(subject)
    expected = SignerIdentity(subject, place.url)
    assert signer.identity == expected
    bundle = signer.sign(CONTENT)
    assert signer.identity == expected
    assert verify_keyless(bundle, place.trust, "x") == (CONTENT, expected)
    # The trusted root alone is enough.
    root = json.dumps(json.loads(place.trust)["trustedRoot"]).encode()
    assert verify_keyless(bundle, root, "x") == (CONTENT, expected)


def test_several_statements_need_one_certificate(sigstore: PrivateSigstore) -> None:
    signer = sigstore.signer()
    first, second = (json.loads(signer.sign(CONTENT)) for _ in range(2))
    certificates = [each["verificationMaterial"]["certificate"] for each in (first, second)]
    assert certificates[0] == certificates[1]
    assert first["dsseEnvelope"]["signatures"] != second["dsseEnvelope"]["signatures"]


def test_a_failed_signature_is_made_good_by_the_next(sigstore: PrivateSigstore) -> None:
    config = sigstore.trust_config.read_text()
    signer = sigstore.signer()
    elsewhere = json.loads(config)
    elsewhere["signingConfig"]["rekorTlogUrls"][0]["url"] = "http://127.0.0.1:9"
    sigstore.trust_config.write_text(json.dumps(elsewhere))
    with pytest.raises(Exception, match="does not answer"):
        signer.sign(CONTENT)
    sigstore.trust_config.write_text(config)
    assert verify_keyless(signer.sign(CONTENT), sigstore.trust, "x")[0] == CONTENT


def test_verification_needs_no_service_and_no_valid_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The certificate is nearly at its end when it is issued.
    clock = MovedClock(timedelta(minutes=-10, seconds=2))
    with serving(clock=clock) as instance:
        place = PrivateSigstore(instance, clock, tmp_path)
        token = instance.issuer.token(ANN, lifetime=timedelta(hours=1))
        bundle = place.signer(token=token).sign(CONTENT)
        trust = place.trust
    time.sleep(2.1)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("verification asked the network")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert verify_keyless(bundle, trust, "x") == (CONTENT, SignerIdentity(ANN, place.url))


def test_many_at_once_get_proofs_that_hold(sigstore: PrivateSigstore) -> None:
    def sign(number: int) -> tuple[str, bytes]:
        subject = f"https://ci.example/{number}"
        file = sigstore.directory / f"token-{number}"
        file.write_text(sigstore.instance.issuer.token(subject))
        file.chmod(0o600)
        return subject, KeylessSigner(f"file:{file}", sigstore.trust_config).sign(CONTENT)

    trust = sigstore.trust
    with ThreadPoolExecutor(8) as pool:
        for subject, bundle in pool.map(sign, range(24)):
            assert verify_keyless(bundle, trust, "x")[1].subject == subject
