"""Signing with a key in a token: SoftHSM, which behaves as hardware does."""

import shutil
import subprocess
from pathlib import Path

import pytest

from infra.digest import digest_bytes, tree_manifest
from infra.errors import AssayError, ConfigError, IntegrityError, Unavailable
from infra.signing.dsse import statement, verify_statement
from infra.signing.keys import KeyPair, create_key, load_public_key, public_pem
from infra.signing.oms import check_model_statement, model_statement
from infra.signing.pkcs11 import Pkcs11Signer
from infra.signing.pkcs11_uri import parse_uri
from infra.signing.signer import Signer, SignerIdentity

MODULES = [
    Path("/usr/lib/softhsm/libsofthsm2.so"),
    Path("/usr/lib64/pkcs11/libsofthsm2.so"),
    Path("/opt/homebrew/lib/softhsm/libsofthsm2.so"),
]
MODULE = next((each for each in MODULES if each.exists()), None)
CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {"answer": 42})
PIN = "4711-0815"

pytestmark = pytest.mark.skipif(
    MODULE is None or shutil.which("softhsm2-util") is None,
    reason="SoftHSM is not installed (Debian: softhsm2), so there is no token to sign with",
)


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyPair:
    """A token `release` that holds one key, `signing`; a copy of the key is here for comparison."""
    pytest.importorskip("PyKCS11", reason="the extra `pkcs11` is not installed")
    (tmp_path / "tokens").mkdir()
    configuration = f"directories.tokendir = {tmp_path / 'tokens'}\nlog.level = ERROR\n"
    (tmp_path / "softhsm2.conf").write_text(configuration)
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
    softhsm("--init-token", "--free", "--label", "release", "--pin", PIN, "--so-pin", "12345678")
    pair = create_key(tmp_path / "keys")
    keep(pair, "signing", "01")
    pin = tmp_path / "pin"
    pin.write_text(PIN + "\n")
    pin.chmod(0o600)
    return pair


def softhsm(*arguments: str) -> None:
    subprocess.run(["softhsm2-util", *arguments], check=True, capture_output=True)


def keep(pair: KeyPair, label: str, key_id: str) -> None:
    softhsm(
        "--import", str(pair.private), "--token", "release", "--label", label, "--id", key_id, "--pin", PIN
    )


def uri(tmp_path: Path, key: str = "object=signing", token: str = "release", more: str = "") -> str:
    return f"pkcs11:token={token};{key}?module-path={MODULE}&pin-source=file:{tmp_path / 'pin'}{more}"


def test_a_bundle_verifies_like_one_of_a_key_file(token: KeyPair, tmp_path: Path) -> None:
    signer: Signer = Pkcs11Signer(uri(tmp_path))
    assert signer.identity == SignerIdentity(token.key_id)
    assert verify_statement(signer.sign(CONTENT), [load_public_key(token.public)], "x") == CONTENT
    by_id = Pkcs11Signer(uri(tmp_path, key="id=%01"))
    assert verify_statement(by_id.sign(CONTENT), [load_public_key(token.public)], "x") == CONTENT


def test_the_reference_accepts_a_model_that_a_token_signed(token: KeyPair, tmp_path: Path) -> None:
    from model_signing import verifying

    model, public = tmp_path / "adapter", tmp_path / "exported.pub"
    model.mkdir()
    (model / "adapter_config.json").write_text("{}")
    signer = Pkcs11Signer(uri(tmp_path))
    public.write_bytes(public_pem(signer.public_key.key))
    (tmp_path / "adapter.sig").write_bytes(signer.sign(model_statement("adapter", tree_manifest(model))))
    verifying.Config().use_elliptic_key_verifier(public_key=public).verify(model, tmp_path / "adapter.sig")


def test_we_accept_a_model_that_the_reference_signed_with_the_token(token: KeyPair, tmp_path: Path) -> None:
    from model_signing import signing

    model = tmp_path / "adapter"
    model.mkdir()
    (model / "adapter_config.json").write_text("{}")
    assert MODULE is not None
    theirs = f"pkcs11:token=release;object=signing?pin-value={PIN}&module-path={MODULE}"
    signing.Config().use_pkcs11_signer(pkcs11_uri=theirs, module_paths=[str(MODULE.parent)]).sign(
        model, tmp_path / "adapter.sig"
    )
    content = verify_statement((tmp_path / "adapter.sig").read_bytes(), [load_public_key(token.public)], "x")
    check_model_statement(content, tree_manifest(model), "x")


def test_the_pin_may_come_from_the_environment(
    token: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = uri(tmp_path).partition("&pin-source")[0]
    monkeypatch.setenv("TOKEN_PIN", PIN)
    bundle = Pkcs11Signer(plain, pin="env:TOKEN_PIN").sign(CONTENT)
    assert verify_statement(bundle, [load_public_key(token.public)], "x") == CONTENT
    with pytest.raises(IntegrityError, match="private keys"):
        Pkcs11Signer(plain).sign(CONTENT)  # the private key is not seen without a login
    with pytest.raises(ConfigError, match="two PINs"):
        Pkcs11Signer(uri(tmp_path), pin="env:TOKEN_PIN")


def test_a_wrong_pin_is_refused_and_not_repeated(token: KeyPair, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("9999-1111")
    with pytest.raises(IntegrityError, match="refused the PIN") as caught:
        Pkcs11Signer(uri(tmp_path)).sign(CONTENT)
    assert "9999" not in caught.value.diagnostics()
    (tmp_path / "pin").write_text(PIN)
    (tmp_path / "pin").chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        Pkcs11Signer(uri(tmp_path)).sign(CONTENT)


@pytest.mark.parametrize(
    ("where", "error", "why"),
    [
        ({"token": "other"}, Unavailable, "no token 'other'"),
        ({"key": "object=other"}, IntegrityError, "got 0 public keys"),
        ({"key": "id=%02"}, IntegrityError, "got 0 public keys"),
        ({"key": "object=signing;id=%02"}, IntegrityError, "got 0 public keys"),
    ],
)
def test_no_token_and_no_key_are_named(
    token: KeyPair, tmp_path: Path, where: dict[str, str], error: type[AssayError], why: str
) -> None:
    with pytest.raises(error, match=why):
        Pkcs11Signer(uri(tmp_path, **where)).sign(CONTENT)


def test_of_two_keys_with_one_name_none_is_guessed(token: KeyPair, tmp_path: Path) -> None:
    keep(create_key(tmp_path / "second"), "signing", "02")
    with pytest.raises(IntegrityError, match="got 2 public keys"):
        Pkcs11Signer(uri(tmp_path)).sign(CONTENT)
    bundle = Pkcs11Signer(uri(tmp_path, key="object=signing;id=%01")).sign(CONTENT)
    assert verify_statement(bundle, [load_public_key(token.public)], "x") == CONTENT


def test_a_key_of_another_kind_is_refused(token: KeyPair, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    file = tmp_path / "p384.pem"
    file.write_bytes(
        ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    softhsm("--import", str(file), "--token", "release", "--label", "large", "--id", "05", "--pin", PIN)
    with pytest.raises(IntegrityError, match="not an EC P-256 key"):
        Pkcs11Signer(uri(tmp_path, key="object=large")).sign(CONTENT)


def test_halves_that_do_not_belong_together_sign_nothing(token: KeyPair, tmp_path: Path) -> None:
    signer = Pkcs11Signer(uri(tmp_path))
    assert signer.public_key.key_id == token.key_id  # read once, and kept
    softhsm("--delete-token", "--token", "release")
    softhsm("--init-token", "--free", "--label", "release", "--pin", PIN, "--so-pin", "12345678")
    keep(create_key(tmp_path / "second"), "signing", "01")
    with pytest.raises(IntegrityError, match="does not fit the public key"):
        signer.sign(CONTENT)


def test_a_module_that_is_none_is_named(token: KeyPair, tmp_path: Path) -> None:
    absent = f"pkcs11:object=x?module-path={tmp_path}/absent.so"
    with pytest.raises(ConfigError, match="no module"):
        Pkcs11Signer(absent).sign(CONTENT)
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        Pkcs11Signer(f"pkcs11:object=x?module-path={tmp_path}/text.so").sign(CONTENT)


def test_the_uri_is_parsed() -> None:
    key = parse_uri("pkcs11:token=a%20b;object=k;id=%00%ff;type=private?module-path=/m.so&pin-source=/pin")
    assert (key.token, key.label, key.key_id, str(key.module), key.pin) == (
        "a b", "k", b"\x00\xff", "/m.so", "file:/pin",
    )  # fmt: skip
    assert parse_uri("pkcs11:object=k?module-path=/m.so&pin-source=file:///pin").pin == "file:/pin"
