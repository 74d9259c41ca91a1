"""Whatever a document says, its reader answers with the one documented error, or takes it for what it is."""

import base64
import contextlib
import copy
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.digest import canonical_json, digest_bytes, digest_manifest
from infra.refusal import VerificationError
from infra.signing import manifest as layout
from infra.signing.attestations import ATTESTED, attestation_file, check_attestation
from infra.signing.documents import parse_object
from infra.signing.dsse import pae, sign_statement, statement, subjects_of, verify_statement
from infra.signing.keys import describe
from infra.signing.manifest import BaseReference, ReleaseManifest, parse_manifest
from infra.signing.oms import check_model_statement, hash_type_of, model_statement, root_digest
from infra.signing.trusted import TrustRoot
from infra.trust import Stage, read_policy
from tests.signed import PASSED, POLICY

KEY = ec.derive_private_key(7, ec.SECP256R1())
PUBLIC = describe(KEY.public_key())
FILES = {"a.json": digest_bytes(b"a"), "b/c.txt": digest_bytes(b"c")}
TRUST = TrustRoot(read_policy(POLICY), PUBLIC)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value inside a document, itself included."""
    found = [above]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*above, key))
    return found


@st.composite
def altered(draw: st.DrawFn, document: Any) -> Any:
    """The document with one to three of its values replaced, removed or doubled."""
    changed = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(changed)))
        if not path:
            return draw(JSON)
        inside = changed
        for key in path[:-1]:
            inside = inside[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                inside[path[-1]] = draw(JSON)
            case "remove":
                del inside[path[-1]]
            case "add" if isinstance(inside, dict):
                inside[draw(st.text(max_size=6))] = draw(JSON)
            case _:
                inside.append(copy.deepcopy(inside[path[-1]]))
    return changed


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


def signed(payload: bytes) -> bytes:
    """A bundle whose signature is good, over any payload at all."""
    from cryptography.hazmat.primitives import hashes

    document = json.loads(sign_statement({}, KEY))
    signature = KEY.sign(pae(payload), ec.ECDSA(hashes.SHA256()))
    document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    document["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    return dumped(document)


def manifest() -> bytes:
    """A manifest that is consistent, of files that do not exist."""
    some = digest_bytes(b"some")
    adapter = {"adapter_config.json": some, "adapter_model.safetensors": some}
    parts = (layout.PROMPT, layout.GUARD, layout.ACCESS, layout.GATE_REPORT, layout.TRUST, "adapter.sig")
    return ReleaseManifest(
        format=layout.FORMAT,
        project="triage",
        sequence=1,
        unit=some,
        base=BaseReference("tiny", digest_manifest(FILES), "MIT", "path:tiny", FILES),
        adapter=digest_manifest(adapter),
        **dict.fromkeys(
            ("prompt", "guard", "access", "config", "requirements", "dataset", "gate_report", "trust"), some
        ),
        verdict="pass",
        files={**{f"adapter/{name}": some for name in adapter}, **dict.fromkeys(parts, some)},
        created="2026-01-01T00:00:00+00:00",
        expires="2027-01-01T00:00:00+00:00",
    ).to_bytes()


MANIFEST = manifest()
CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {"answer": 42})
BUNDLE = json.loads(sign_statement(CONTENT, KEY))


def refused_or(run: Any, *good: Any) -> None:
    with contextlib.suppress(VerificationError):
        assert run() in good


@given(st.binary(max_size=200))
def test_no_bytes_upset_a_reader(data: bytes) -> None:
    refused_or(lambda: parse_object(data, "x"), {})
    with pytest.raises(VerificationError):
        parse_manifest(data)
    with pytest.raises(VerificationError):
        verify_statement(data, [PUBLIC], "x")
    with pytest.raises(VerificationError):
        TRUST.verify(data, Stage.GATES, "x")


@given(altered(BUNDLE) | JSON)
def test_an_altered_bundle_is_refused_or_the_same(document: Any) -> None:
    refused_or(lambda: verify_statement(dumped(document), [PUBLIC], "x"), CONTENT)
    refused_or(lambda: TRUST.verify(dumped(document), Stage.GATES, "x")[0], CONTENT)


@given(st.binary(max_size=60) | (altered(CONTENT) | JSON).map(dumped))
def test_a_signed_payload_can_be_anything(payload: bytes) -> None:
    with contextlib.suppress(VerificationError):
        content = verify_statement(signed(payload), [PUBLIC], "x")
        assert content == json.loads(payload)
        subjects_of(content, "x")


@given(altered(model_statement("adapter", FILES)))
def test_an_altered_model_statement_is_refused_or_the_same(content: Any) -> None:
    if isinstance(content, dict):
        refused_or(lambda: hash_type_of(content, ("sha256",), "x"), "sha256")
        refused_or(lambda: check_model_statement(content, FILES, "x"), root_digest(FILES))


@settings(max_examples=300)
@given(st.data())
def test_an_altered_attestation_is_refused_or_about_the_same(data: st.DataObject) -> None:
    stage = data.draw(st.sampled_from(sorted(ATTESTED)))
    subjects = {"unit": digest_bytes(b"some"), "adapter": digest_bytes(b"root")}
    content = statement(subjects, ATTESTED[stage], PASSED.get(stage, {"verificationResult": "PASSED"}))
    changed = data.draw(altered(json.loads(canonical_json(content))))
    good = parse_manifest(MANIFEST)
    if isinstance(changed, dict):
        name = attestation_file(stage)
        refused_or(
            lambda: check_attestation(stage, changed, good, digest_bytes(b"root"), name) or "good", "good"
        )


@settings(max_examples=400)
@given(altered(json.loads(MANIFEST)))
def test_an_altered_manifest_is_refused_or_consistent(document: Any) -> None:
    for data in (dumped(document), _canonical(document)):
        with contextlib.suppress(VerificationError):
            assert parse_manifest(data).to_bytes() == data


def _canonical(document: Any) -> bytes:
    try:
        return canonical_json(document)
    except VerificationError:
        return b"{}"
