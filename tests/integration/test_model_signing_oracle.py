"""Our strict OMS reader against the reference implementation, in both directions."""

from pathlib import Path

import pytest

from infra.digest import tree_manifest
from infra.errors import IntegrityError
from infra.signing.dsse import sign_statement, verify_statement
from infra.signing.keys import KeyPair, create_key, load_private_key, load_public_key
from infra.signing.oms import check_model_statement, model_statement


@pytest.fixture
def model(tmp_path: Path) -> Path:
    root = tmp_path / "adapter"
    (root / "sub").mkdir(parents=True)
    (root / "adapter_config.json").write_text('{"r": 16}')
    (root / "sub" / "weights.safetensors").write_bytes(b"w" * 10_000)
    (root / "empty.txt").write_bytes(b"")
    return root


@pytest.fixture
def keys(tmp_path: Path) -> KeyPair:
    return create_key(tmp_path / "keys")


def reference_sign(model: Path, signature: Path, keys: KeyPair) -> None:
    from model_signing import signing

    signing.Config().use_elliptic_key_signer(private_key=keys.private).sign(model, signature)


def reference_verify(model: Path, signature: Path, keys: KeyPair) -> None:
    from model_signing import verifying

    verifying.Config().use_elliptic_key_verifier(public_key=keys.public).verify(model, signature)


def our_verify(model: Path, signature: Path, keys: KeyPair) -> None:
    content = verify_statement(signature.read_bytes(), [load_public_key(keys.public)], signature.name)
    check_model_statement(content, tree_manifest(model), signature.name)


def test_we_accept_what_the_reference_signed(model: Path, keys: KeyPair, tmp_path: Path) -> None:
    reference_sign(model, tmp_path / "adapter.sig", keys)
    our_verify(model, tmp_path / "adapter.sig", keys)


def test_the_reference_accepts_what_we_signed(model: Path, keys: KeyPair, tmp_path: Path) -> None:
    signature = tmp_path / "adapter.sig"
    content = model_statement(model.name, tree_manifest(model))
    signature.write_bytes(sign_statement(content, load_private_key(keys.private)))
    reference_verify(model, signature, keys)
    our_verify(model, signature, keys)


@pytest.mark.parametrize("change", ["flip", "add", "remove", "rename"])
def test_both_refuse_an_altered_model(model: Path, keys: KeyPair, tmp_path: Path, change: str) -> None:
    signature = tmp_path / "adapter.sig"
    reference_sign(model, signature, keys)
    config = model / "adapter_config.json"
    match change:
        case "flip":
            config.write_text('{"r": 17}')
        case "add":
            (model / "more.json").write_text("{}")
        case "remove":
            config.unlink()
        case "rename":
            config.rename(model / "config.json")
    with pytest.raises(IntegrityError):
        our_verify(model, signature, keys)
    with pytest.raises(ValueError, match="mismatch"):
        reference_verify(model, signature, keys)


def test_we_refuse_what_the_reference_lets_in(model: Path, keys: KeyPair, tmp_path: Path) -> None:
    signature = tmp_path / "adapter.sig"
    reference_sign(model, signature, keys)
    (model / ".github").mkdir()
    (model / ".github" / "evil.py").write_text("print()")
    reference_verify(model, signature, keys)
    with pytest.raises(IntegrityError, match="git files"):
        our_verify(model, signature, keys)
