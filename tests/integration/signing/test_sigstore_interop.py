"""The official command lines of sigstore and model_signing: they verify what we sign, we what they sign."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.digest import digest_bytes, tree_manifest
from infra.errors import IntegrityError
from infra.signing.dsse import statement
from infra.signing.keyless import verify_keyless
from infra.signing.oms import check_model_statement, model_statement
from infra.signing.signer import SignerIdentity
from infra.sigstore_dev import serving
from infra.sigstore_dev.trust_config import RekorVersion
from tests.private_sigstore import ANN, MovedClock, PrivateSigstore

STRANGER = "eve@example.com"


def run(*arguments: object, accepts: bool = True) -> str:
    """One of the official programs, as a person starts it."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is accepts, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def model(tmp_path: Path) -> Path:
    root = tmp_path / "adapter"
    (root / "sub").mkdir(parents=True)
    (root / "adapter_config.json").write_text('{"r": 16}')
    (root / "sub" / "weights.safetensors").write_bytes(b"w" * 10_000)
    return root


def reference_verify(model: Path, signature: Path, place: PrivateSigstore, accepts: bool = True) -> str:
    return run(
        "model_signing", "verify", "sigstore", model, "--signature", signature,
        "--identity", ANN, "--identity_provider", place.url, "--trust_config", place.trust_config,
        accepts=accepts,
    )  # fmt: skip


def our_verify(model: Path, signature: Path, place: PrivateSigstore) -> SignerIdentity:
    content, signer = verify_keyless(signature.read_bytes(), place.trust, signature.name)
    check_model_statement(content, tree_manifest(model), signature.name)
    return signer


@pytest.mark.parametrize("rekor", [1, 2])
def test_model_signing_accepts_our_signature_when_all_services_are_gone(
    model: Path, tmp_path: Path, rekor: RekorVersion
) -> None:
    signature = tmp_path / "adapter.sig"
    with serving() as instance:
        place = PrivateSigstore(instance, MovedClock(), tmp_path, rekor)
        content = model_statement(model.name, tree_manifest(model))
        signature.write_bytes(place.signer().sign(content))
        assert place.trust
    assert "succeeded" in reference_verify(model, signature, place)
    assert our_verify(model, signature, place) == SignerIdentity(ANN, place.url)
    (model / "adapter_config.json").write_text('{"r": 17}')
    reference_verify(model, signature, place, accepts=False)
    with pytest.raises(IntegrityError, match="does not have the signed digest"):
        our_verify(model, signature, place)


@pytest.mark.parametrize("rekor", [1, 2])
def test_we_accept_what_model_signing_signed(
    sigstore: PrivateSigstore, model: Path, tmp_path: Path, rekor: RekorVersion
) -> None:
    place, signature = replace(sigstore, rekor=rekor), tmp_path / "adapter.sig"
    run(
        "model_signing", "sign", "sigstore", model, "--signature", signature,
        "--identity_token", place.instance.issuer.token(ANN), "--trust_config", place.trust_config,
    )  # fmt: skip
    assert our_verify(model, signature, place) == SignerIdentity(ANN, place.url)
    (model / "more.json").write_text("{}")
    with pytest.raises(IntegrityError, match="is here but not signed"):
        our_verify(model, signature, place)


def test_sigstore_accepts_our_attestation_of_the_right_identity_alone(
    sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    artefact, bundle = tmp_path / "release.json", tmp_path / "gates.sigstore.json"
    artefact.write_text("{}")
    content = statement({"release.json": digest_bytes(b"{}")}, "urn:test", {"result": "PASSED"})
    bundle.write_bytes(sigstore.signer().sign(content))

    def verify(file: Path, identity: str, issuer: str, accepts: bool) -> str:
        return run(
            "sigstore", "--trust-config", sigstore.trust_config, "verify", "identity", "--offline",
            "--bundle", bundle, "--cert-identity", identity, "--cert-oidc-issuer", issuer, file,
            accepts=accepts,
        )  # fmt: skip

    assert "OK" in verify(artefact, ANN, sigstore.url, accepts=True)
    verify(artefact, STRANGER, sigstore.url, accepts=False)
    verify(artefact, ANN, "https://accounts.example", accepts=False)
    artefact.write_text("{ }")
    verify(artefact, ANN, sigstore.url, accepts=False)


def test_we_accept_what_sigstore_attested(sigstore: PrivateSigstore, tmp_path: Path) -> None:
    artefact, predicate = tmp_path / "release.json", tmp_path / "predicate.json"
    bundle = tmp_path / "bundle.sigstore.json"
    artefact.write_text("{}")
    provenance = {
        "buildDefinition": {"buildType": "https://example.com/build/v1", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.com/builder"}},
    }
    predicate.write_text(json.dumps(provenance))
    run(
        "sigstore", "--trust-config", sigstore.trust_config, "attest",
        "--identity-token", sigstore.instance.issuer.token(ANN),
        "--predicate", predicate, "--predicate-type", "https://slsa.dev/provenance/v1",
        "--bundle", bundle, artefact,
    )  # fmt: skip
    content, signer = verify_keyless(bundle.read_bytes(), sigstore.trust, bundle.name)
    assert signer == SignerIdentity(ANN, sigstore.url)
    assert content["predicateType"] == "https://slsa.dev/provenance/v1"
    assert content["subject"][0]["digest"] == {"sha256": digest_bytes(b"{}").removeprefix("sha256:")}


def test_sigstore_signs_files_against_the_instance_and_verifies_them(
    sigstore: PrivateSigstore, tmp_path: Path
) -> None:
    artefact = tmp_path / "file.txt"
    artefact.write_text("hello")
    run(
        "sigstore", "--trust-config", sigstore.trust_config, "sign",
        "--identity-token", sigstore.instance.issuer.token(ANN), artefact,
    )  # fmt: skip
    for identity, accepts in ((ANN, True), (STRANGER, False)):
        run(
            "sigstore", "--trust-config", sigstore.trust_config, "verify", "identity", "--offline",
            "--cert-identity", identity, "--cert-oidc-issuer", sigstore.url, artefact,
            accepts=accepts,
        )  # fmt: skip
