"""Keyless signatures that must not count: altered, stripped, swapped, too late, from a stranger."""

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.errors import ConfigError, IntegrityError, Unavailable
from infra.signing.dsse import MOST_BYTES, sign_statement, statement, verify_statement
from infra.signing.keyless import KeylessSigner, read_trust, verify_keyless
from infra.signing.keys import create_key, load_private_key, load_public_key
from infra.sigstore_dev.issuer import Issuer
from infra.sigstore_dev.trust_config import RekorVersion
from tests.private_sigstore import ANN, PrivateSigstore

CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {"answer": 42})
OTHER = statement({"thing": digest_bytes(b"other")}, "urn:test", {"answer": 43})

Document = dict[str, Any]


def material(document: Document) -> Document:
    return document["verificationMaterial"]  # type: ignore[no-any-return]  # parsed JSON


def entry(document: Document) -> Document:
    return material(document)["tlogEntries"][0]  # type: ignore[no-any-return]  # parsed JSON


def envelope(document: Document) -> Document:
    return document["dsseEnvelope"]  # type: ignore[no-any-return]  # parsed JSON


def flipped(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[len(data) // 2] ^= 1
    return base64.b64encode(data).decode()


def with_spare_bits(text: str) -> str:
    """The same bytes, written with spare bits set: another text, one meaning."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    assert body != text, "needs padding"
    return body[:-1] + alphabet[alphabet.index(body[-1]) | 1] + text[len(body) :]


ALTERATIONS: dict[str, Callable[[Document, Document], object]] = {
    "payload": lambda d, o: envelope(d).update(payload=envelope(o)["payload"]),
    "payload type": lambda d, o: envelope(d).update(payloadType="text/plain"),
    "signature": lambda d, o: envelope(d).update(signatures=envelope(o)["signatures"]),
    "two signatures": lambda d, o: envelope(d)["signatures"].extend(envelope(o)["signatures"]),
    "no signature": lambda d, o: envelope(d).update(signatures=[]),
    "other envelope": lambda d, o: d.update(dsseEnvelope=envelope(o)),
    "no envelope": lambda d, o: d.pop("dsseEnvelope"),
    "no material": lambda d, o: d.pop("verificationMaterial"),
    "swapped certificate": lambda d, o: material(d).update(certificate=material(o)["certificate"]),
    "altered certificate": lambda d, o: material(d)["certificate"].update(
        rawBytes=flipped(material(d)["certificate"]["rawBytes"])
    ),
    "no certificate": lambda d, o: material(d).pop("certificate"),
    "a key in its place": lambda d, o: (
        material(d).pop("certificate"),
        material(d).update(publicKey={"hint": "0" * 64}),
    ),
    "no log entry": lambda d, o: material(d).update(tlogEntries=[]),
    "log entries absent": lambda d, o: material(d).pop("tlogEntries"),
    "swapped log entry": lambda d, o: material(d).update(tlogEntries=material(o)["tlogEntries"]),
    "two log entries": lambda d, o: material(d)["tlogEntries"].extend(material(o)["tlogEntries"]),
    "no inclusion proof": lambda d, o: entry(d).pop("inclusionProof"),
    "no checkpoint": lambda d, o: entry(d)["inclusionProof"].pop("checkpoint"),
    "swapped checkpoint": lambda d, o: entry(d)["inclusionProof"].update(
        checkpoint=entry(o)["inclusionProof"]["checkpoint"]
    ),
    "altered root hash": lambda d, o: entry(d)["inclusionProof"].update(
        rootHash=flipped(entry(d)["inclusionProof"]["rootHash"])
    ),
    "other place in the log": lambda d, o: entry(d)["inclusionProof"].update(logIndex="0"),
    "altered body": lambda d, o: entry(d).update(canonicalizedBody=entry(o)["canonicalizedBody"]),
    "other log": lambda d, o: entry(d).update(logId={"keyId": base64.b64encode(b"0" * 32).decode()}),
    "unknown field": lambda d, o: d.update(more=1),
    "unknown field inside": lambda d, o: material(d).update(more=1),
    "snake case": lambda d, o: d.update(dsse_envelope=d.pop("dsseEnvelope")),
    "older bundle": lambda d, o: d.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.2"),
    "other spelling of 0.3": lambda d, o: d.update(
        mediaType="application/vnd.dev.sigstore.bundle+json;version=0.3"
    ),
    "number in place of text": lambda d, o: entry(d).update(logIndex=1),
    "base64 not canonical": lambda d, o: entry(d)["logId"].update(
        keyId=with_spare_bits(entry(d)["logId"]["keyId"])
    ),
}
V1_ALTERATIONS: dict[str, Callable[[Document, Document], object]] = {
    "altered time": lambda d, o: entry(d).update(integratedTime=str(int(entry(d)["integratedTime"]) - 1)),
    "swapped promise": lambda d, o: entry(d).update(inclusionPromise=entry(o)["inclusionPromise"]),
    "no source of time": lambda d, o: (
        entry(d).pop("inclusionPromise"),
        material(d).pop("timestampVerificationData"),
    ),
}
V2_ALTERATIONS: dict[str, Callable[[Document, Document], object]] = {
    "no timestamp": lambda d, o: material(d).pop("timestampVerificationData"),
    "empty timestamps": lambda d, o: material(d)["timestampVerificationData"].update(rfc3161Timestamps=[]),
    "swapped timestamp": lambda d, o: material(d).update(
        timestampVerificationData=material(o)["timestampVerificationData"]
    ),
    "a time that nobody signed": lambda d, o: (
        material(d).pop("timestampVerificationData"),
        entry(d).update(integratedTime="1"),
    ),
}
CASES = [
    *((rekor, name) for rekor in (1, 2) for name in ALTERATIONS),
    *((1, name) for name in V1_ALTERATIONS),
    *((2, name) for name in V2_ALTERATIONS),
]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[bytes, bytes, bytes]]:
    """For each Rekor: a bundle, one of another signer about something else, and the trusted root."""
    from infra.sigstore_dev import serving
    from tests.private_sigstore import MovedClock

    made = {}
    with serving() as instance:
        for rekor in (1, 2):
            place = PrivateSigstore(instance, MovedClock(), tmp_path_factory.mktemp("signed"), rekor)
            other = place.signer("https://ci.example/other").sign(OTHER)
            made[rekor] = place.signer().sign(CONTENT), other, place.trust
    return made


@pytest.mark.parametrize(("rekor", "name"), CASES)
def test_an_altered_bundle_is_refused(
    signed: dict[int, tuple[bytes, bytes, bytes]], rekor: RekorVersion, name: str
) -> None:
    bundle, other, trust = signed[rekor]
    document = json.loads(bundle)
    before = copy.deepcopy(document)
    (ALTERATIONS | V1_ALTERATIONS | V2_ALTERATIONS)[name](document, json.loads(other))
    assert document != before
    verify_keyless(bundle, trust, "x.sigstore.json")
    with pytest.raises(IntegrityError, match=r"^x\.sigstore\.json: "):
        verify_keyless(json.dumps(document).encode(), trust, "x.sigstore.json")


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b"\xff", b'{"a":NaN}', b'{"mediaType":1,"mediaType":2}', b"{" * 99_999]
)
def test_what_is_no_bundle_is_refused(signed: dict[int, tuple[bytes, bytes, bytes]], data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^x: "):
        verify_keyless(data, signed[2][2], "x")


def test_a_bundle_that_is_too_large_is_not_read(signed: dict[int, tuple[bytes, bytes, bytes]]) -> None:
    bundle, _, trust = signed[2]
    with pytest.raises(IntegrityError, match="expected at most"):
        verify_keyless(bundle + b" " * MOST_BYTES, trust, "x")


def test_one_kind_of_signature_does_not_pass_for_the_other(
    signed: dict[int, tuple[bytes, bytes, bytes]], tmp_path: Path
) -> None:
    bundle, _, trust = signed[2]
    pair = create_key(tmp_path / "keys")
    with pytest.raises(IntegrityError):
        verify_keyless(sign_statement(CONTENT, load_private_key(pair.private)), trust, "x")
    with pytest.raises(IntegrityError):
        verify_statement(bundle, [load_public_key(pair.public)], "x")


def test_a_signature_over_a_file_is_no_attestation(sigstore: PrivateSigstore) -> None:
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityToken
    from sigstore.sign import SigningContext

    config = ClientTrustConfig.from_json(sigstore.trust_config.read_text())
    token = IdentityToken(sigstore.instance.issuer.token(ANN))
    with SigningContext.from_trust_config(config).signer(token) as signer:
        bundle = signer.sign_artifact(b"thing").to_json().encode()
    with pytest.raises(IntegrityError, match="without a DSSE envelope"):
        verify_keyless(bundle, sigstore.trust, "x")


# ── who and what is trusted ─────────────────────────────────────────────────────────────────────────────


def without(trust: bytes, *names: str) -> bytes:
    document = json.loads(trust)
    for name in names:
        document["trustedRoot"][name] = []
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("rekor", "revoked"),
    [
        *((rekor, name) for rekor in (1, 2) for name in ("tlogs", "certificateAuthorities", "ctlogs")),
        (2, "timestampAuthorities"),
        # With a timestamp in the bundle there has to be somebody who can vouch for it.
        (1, "timestampAuthorities"),
    ],
)
def test_what_the_trusted_root_no_longer_names_is_revoked(
    signed: dict[int, tuple[bytes, bytes, bytes]], rekor: RekorVersion, revoked: str
) -> None:
    bundle, _, trust = signed[rekor]
    with pytest.raises(IntegrityError, match=r"^x: "):
        verify_keyless(bundle, without(trust, revoked), "x")


@pytest.mark.parametrize("foreign", ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"])
def test_one_foreign_part_of_the_trusted_root_is_enough_to_refuse(
    signed: dict[int, tuple[bytes, bytes, bytes]], other_sigstore: PrivateSigstore, foreign: str
) -> None:
    bundle, _, trust = signed[2]
    document = json.loads(trust)
    document["trustedRoot"][foreign] = json.loads(other_sigstore.trust)["trustedRoot"][foreign]
    with pytest.raises(IntegrityError, match=r"^x: "):
        verify_keyless(bundle, json.dumps(document).encode(), "x")


def test_the_root_of_another_instance_is_no_root(
    signed: dict[int, tuple[bytes, bytes, bytes]], other_sigstore: PrivateSigstore
) -> None:
    with pytest.raises(IntegrityError, match="keyless signature refused"):
        verify_keyless(signed[2][0], other_sigstore.trust, "x")


def test_a_merged_root_is_a_rotation_and_removing_the_old_one_ends_it(
    signed: dict[int, tuple[bytes, bytes, bytes]], other_sigstore: PrivateSigstore
) -> None:
    bundle, _, trust = signed[2]
    old, new = json.loads(trust)["trustedRoot"], json.loads(other_sigstore.trust)
    merged = copy.deepcopy(new)
    for name, entries in new["trustedRoot"].items():
        if isinstance(entries, list):
            merged["trustedRoot"][name] = entries + old[name]
    both = json.dumps(merged).encode()
    again = other_sigstore.signer("bob@example.com").sign(CONTENT)
    assert verify_keyless(bundle, both, "x")[1].subject == ANN
    assert verify_keyless(again, both, "x")[1].subject == "bob@example.com"
    # Nothing is remembered of the call before.
    with pytest.raises(IntegrityError):
        verify_keyless(bundle, json.dumps(new).encode(), "x")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"mediaType": "text/plain"}', b'{"a":1,"a":2}'])
def test_what_is_no_trusted_root_is_refused(
    signed: dict[int, tuple[bytes, bytes, bytes]], data: bytes, tmp_path: Path
) -> None:
    with pytest.raises(IntegrityError):
        verify_keyless(signed[2][0], data, "x")
    (tmp_path / "root.json").write_bytes(data)
    with pytest.raises(IntegrityError, match=r"root\.json: "):
        read_trust(tmp_path / "root.json")
    with pytest.raises(IntegrityError, match="cannot be read"):
        read_trust(tmp_path / "absent.json")


def with_validity(trust: bytes, name: str, start: timedelta, end: timedelta | None) -> bytes:
    """The root with one list whose entries count from `start` to `end`, seen from now."""
    document, now = json.loads(trust), datetime.now(UTC)
    for each in document["trustedRoot"][name]:
        validity = each.get("publicKey", each)["validFor"] = {"start": (now + start).isoformat()}
        if end is not None:
            validity["end"] = (now + end).isoformat()
    return json.dumps(document).encode()


LISTS = ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"]
HOUR = timedelta(hours=1)


@pytest.mark.parametrize("rekor", [1, 2])
@pytest.mark.parametrize("name", LISTS)
def test_what_counted_at_another_time_does_not_count(
    signed: dict[int, tuple[bytes, bytes, bytes]], rekor: RekorVersion, name: str
) -> None:
    bundle, _, trust = signed[rekor]
    for start, end in ((-2 * HOUR, -HOUR), (HOUR, None), (HOUR, 2 * HOUR)):
        with pytest.raises(IntegrityError, match=r"^x: "):
            verify_keyless(bundle, with_validity(trust, name, start, end), "x")
    for when in ("yesterday", 7, {}):
        document = json.loads(trust)
        for each in document["trustedRoot"][name]:
            each.get("publicKey", each)["validFor"] = {"start": when}
        with pytest.raises(IntegrityError, match=r"^x: "):
            verify_keyless(bundle, json.dumps(document).encode(), "x")


@pytest.mark.parametrize("rekor", [1, 2])
@pytest.mark.parametrize("name", LISTS)
def test_what_was_signed_before_the_end_still_counts(
    signed: dict[int, tuple[bytes, bytes, bytes]], rekor: RekorVersion, name: str
) -> None:
    bundle, _, trust = signed[rekor]
    for end in (HOUR, None):
        assert verify_keyless(bundle, with_validity(trust, name, -HOUR, end), "x")[0] == CONTENT


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_expired_token_is_refused(sigstore: PrivateSigstore) -> None:
    token = sigstore.instance.issuer.token(ANN, lifetime=timedelta(seconds=-10))
    with pytest.raises(IntegrityError, match=r"token cannot be used.*expired"):
        sigstore.signer(token=token).sign(CONTENT)


def test_a_token_for_another_audience_is_refused(sigstore: PrivateSigstore) -> None:
    token = sigstore.instance.issuer.token(ANN, audience="another-service")
    with pytest.raises(IntegrityError, match=r"token cannot be used.*[Aa]udience"):
        sigstore.signer(token=token).sign(CONTENT)


def test_a_token_of_another_issuer_is_refused(
    sigstore: PrivateSigstore, other_sigstore: PrivateSigstore
) -> None:
    with pytest.raises(IntegrityError, match=r"refused to sign.*identity token refused"):
        sigstore.signer(token=other_sigstore.instance.issuer.token(ANN)).sign(CONTENT)


def test_a_token_under_a_forged_key_is_refused(sigstore: PrivateSigstore) -> None:
    forger = Issuer(sigstore.url, sigstore.clock)
    with pytest.raises(IntegrityError, match=r"refused to sign.*identity token refused"):
        sigstore.signer(token=forger.token(ANN)).sign(CONTENT)


def test_no_token_is_no_signature(sigstore: PrivateSigstore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("id.detect_credential", lambda audience: None)  # no cloud metadata server is asked
    with pytest.raises(ConfigError, match="no identity token"):
        KeylessSigner(trust_config=sigstore.trust_config).sign(CONTENT)
    with pytest.raises(ConfigError, match="NO_SUCH_TOKEN"):
        KeylessSigner("env:NO_SUCH_TOKEN", sigstore.trust_config).sign(CONTENT)
    file = sigstore.token_file(sigstore.instance.issuer.token(ANN))
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        KeylessSigner(f"file:{file}", sigstore.trust_config).sign(CONTENT)


def test_a_token_is_never_repeated(
    sigstore: PrivateSigstore, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    good = sigstore.instance.issuer.token(ANN)
    forged = Issuer(sigstore.url, sigstore.clock).token(ANN)
    sigstore.signer(token=good).sign(CONTENT)
    for bad in (forged, good[:-4], "not-a-token-at-all"):
        with pytest.raises(IntegrityError) as caught:
            sigstore.signer(token=bad).sign(CONTENT)
        assert bad not in caught.value.diagnostics()
    output = "".join((caplog.text, *capfd.readouterr(), repr(sigstore.signer(token=good))))
    for token in (good, forged, "not-a-token-at-all"):
        assert token not in output
        assert token.rpartition(".")[2] not in output


# ── services ────────────────────────────────────────────────────────────────────────────────────────────


def moved(place: PrivateSigstore, service: str, url: str) -> PrivateSigstore:
    """The same place, one of whose services is elsewhere."""
    document = json.loads(place.trust)
    document["signingConfig"][service][0]["url"] = url
    directory = place.directory / "moved"
    directory.mkdir()
    made = replace(place, directory=directory)
    (directory / f"trust-config-{place.rekor}.json").write_text(json.dumps(document))
    return made


@pytest.mark.parametrize("service", ["caUrls", "rekorTlogUrls", "tsaUrls"])
def test_a_service_that_is_away_can_be_tried_again(sigstore: PrivateSigstore, service: str) -> None:
    with pytest.raises(Unavailable):
        moved(sigstore, service, "http://127.0.0.1:9").signer().sign(CONTENT)


def test_rekor_v1_gives_the_time_when_the_timestamp_authority_is_away(sigstore: PrivateSigstore) -> None:
    place = moved(replace(sigstore, rekor=1), "tsaUrls", "http://127.0.0.1:9")
    assert verify_keyless(place.signer().sign(CONTENT), place.trust, "x")[0] == CONTENT


def test_a_service_that_never_answers_is_not_waited_for(sigstore: PrivateSigstore) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = moved(sigstore, "caUrls", f"http://127.0.0.1:{silent.getsockname()[1]}")
        file = place.token_file(place.instance.issuer.token(ANN))
        signer = KeylessSigner(f"file:{file}", place.trust_config, patience_s=0.3)
        with pytest.raises(Unavailable, match="within"):
            signer.sign(CONTENT)


@pytest.mark.parametrize("logs", ["none", "foreign"])
def test_a_certificate_that_no_trusted_log_has_seen_is_not_used(
    sigstore: PrivateSigstore, other_sigstore: PrivateSigstore, logs: str
) -> None:
    document = json.loads(sigstore.trust)
    foreign = json.loads(other_sigstore.trust)["trustedRoot"]["ctlogs"]
    document["trustedRoot"]["ctlogs"] = foreign if logs == "foreign" else []
    sigstore.trust_config.write_text(json.dumps(document))
    with pytest.raises(IntegrityError):
        sigstore.signer().sign(CONTENT)


@pytest.mark.parametrize("rekor", [1, 2])
def test_what_is_logged_after_the_certificate_has_expired_is_refused(
    sigstore: PrivateSigstore, rekor: RekorVersion
) -> None:
    signer = replace(sigstore, rekor=rekor).signer()
    signer.sign(CONTENT)
    sigstore.clock.offset = timedelta(minutes=11)
    with pytest.raises(IntegrityError, match="new signature: keyless signature refused"):
        signer.sign(CONTENT)


def test_a_root_alone_does_not_say_where_to_sign(sigstore: PrivateSigstore) -> None:
    root = json.loads(sigstore.trust)["trustedRoot"]
    sigstore.trust_config.write_text(json.dumps(root))
    with pytest.raises(IntegrityError, match="not where to sign"):
        sigstore.signer().sign(CONTENT)
