"""Keys that are open to others, linked, foreign or in the way are refused."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from infra.errors import ConfigError, IntegrityError
from infra.signing.keys import create_key, ensure_key, load_private_key, load_public_key
from infra.signing.rotation import retired_keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    pair = create_key(tmp_path / "keys")
    pair.private.chmod(mode)
    with pytest.raises(IntegrityError, match="open to others"):
        load_private_key(pair.private)
    with pytest.raises(IntegrityError, match="open to others"):
        ensure_key(tmp_path)


def test_a_linked_key_is_refused(tmp_path: Path) -> None:
    pair = create_key(tmp_path / "keys")
    link = tmp_path / "link.pem"
    link.symlink_to(pair.private)
    with pytest.raises(IntegrityError, match="symbolic links"):
        load_private_key(link)


def test_a_pipe_or_directory_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(IntegrityError, match="not a regular file"):
        load_private_key(tmp_path / "pipe")
    with pytest.raises(IntegrityError, match="not a regular file"):
        load_private_key(tmp_path)
    with pytest.raises(IntegrityError, match="No such file"):
        load_private_key(tmp_path / "absent")


def test_other_kinds_of_key_are_refused(tmp_path: Path) -> None:
    for number, key in enumerate(
        (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1()))
    ):
        private = tmp_path / f"{number}.pem"
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        private.chmod(0o600)
        with pytest.raises(IntegrityError, match="not an EC P-256 key"):
            load_private_key(private)
        public = tmp_path / f"{number}.pub"
        public.write_bytes(
            key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )
        with pytest.raises(IntegrityError, match="not an EC P-256 key"):
            load_public_key(public)


def test_garbage_is_refused_without_repeating_it(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("my secret passphrase")
    key.chmod(0o600)
    with pytest.raises(IntegrityError) as caught:
        load_private_key(key)
    assert "passphrase" not in caught.value.diagnostics()


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    pair = create_key(tmp_path / "keys")
    before = pair.private.read_bytes(), pair.public.read_bytes()
    with pytest.raises(IntegrityError, match="never replaced"):
        create_key(tmp_path / "keys")
    assert (pair.private.read_bytes(), pair.public.read_bytes()) == before
    assert sorted(os.listdir(tmp_path / "keys")) == ["signing.pem", "signing.pub"]


def test_a_dangling_link_in_the_place_of_the_key_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "signing.pem").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError):
        ensure_key(tmp_path)
    with pytest.raises(IntegrityError):
        create_key(tmp_path / "keys")
    assert not (tmp_path / "elsewhere").exists()


def test_a_foreign_public_half_is_refused(tmp_path: Path) -> None:
    ensure_key(tmp_path)
    other = create_key(tmp_path / "other")
    (tmp_path / "keys" / "signing.pub").write_bytes(other.public.read_bytes())
    with pytest.raises(IntegrityError, match="does not belong to"):
        ensure_key(tmp_path)


def test_a_key_is_private_and_stays_the_same(tmp_path: Path) -> None:
    pair = ensure_key(tmp_path)
    assert pair.private.stat().st_mode & 0o777 == 0o600
    assert pair.private.parent.stat().st_mode & 0o777 == 0o700
    assert ensure_key(tmp_path) == pair
    pair.public.unlink()  # as after a crash between the two files
    assert ensure_key(tmp_path) == pair
    assert load_public_key(pair.public).key_id == pair.key_id


def test_many_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        pairs = set(pool.map(lambda _: ensure_key(tmp_path), range(16)))
    assert len(pairs) == 1


@pytest.fixture
def passphrase(monkeypatch: pytest.MonkeyPatch) -> str:
    """A reference to a passphrase in the environment."""
    monkeypatch.setenv("KEY_PASSPHRASE", "correct horse battery staple")
    return "env:KEY_PASSPHRASE"


def test_a_key_under_a_passphrase_opens_with_it_alone(
    tmp_path: Path, passphrase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = ensure_key(tmp_path, passphrase)
    text = pair.private.read_bytes()
    assert text.startswith(b"-----BEGIN ENCRYPTED ")
    assert pair.private.stat().st_mode & 0o777 == 0o600
    assert ensure_key(tmp_path, passphrase) == pair
    with pytest.raises(IntegrityError, match="under a passphrase"):
        load_private_key(pair.private)
    with pytest.raises(IntegrityError, match="under a passphrase"):
        ensure_key(tmp_path)
    with pytest.raises(ConfigError, match="NOT_SET"):
        load_private_key(pair.private, "env:NOT_SET")
    monkeypatch.setenv("KEY_PASSPHRASE", "wrong passphrase")
    with pytest.raises(IntegrityError, match="does not open the key") as caught:
        load_private_key(pair.private, passphrase)
    assert "wrong passphrase" not in caught.value.diagnostics()
    assert pair.private.read_bytes() == text


def test_a_passphrase_that_is_not_needed_is_a_contradiction(tmp_path: Path, passphrase: str) -> None:
    pair = create_key(tmp_path / "keys")
    with pytest.raises(IntegrityError, match="got one without"):
        load_private_key(pair.private, passphrase)
    pair.private.write_bytes(b"-----BEGIN ENCRYPTED PRIVATE " + b"KEY-----\nAAAA\n")
    with pytest.raises(IntegrityError, match="does not open the key"):
        load_private_key(pair.private, passphrase)


def test_other_programs_read_the_encrypted_key_and_guessing_it_is_slow(
    tmp_path: Path, passphrase: str
) -> None:
    from asn1crypto import keys, pem

    pair = create_key(tmp_path / "keys", passphrase)
    data = pair.private.read_bytes()
    key = serialization.load_pem_private_key(data, b"correct horse battery staple")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    info = keys.EncryptedPrivateKeyInfo.load(pem.unarmor(data)[2], strict=True)
    assert info["encryption_algorithm"].kdf_iterations >= 600_000


def test_no_key_is_written_without_its_passphrase(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        create_key(tmp_path / "keys", "env:NOT_SET")
    assert os.listdir(tmp_path / "keys") == []


def test_a_public_half_of_a_replaced_key_gives_way_to_the_one_in_use(tmp_path: Path) -> None:
    old = create_key(tmp_path / "keys")
    before = old.public.read_bytes()
    retired = tmp_path / "keys" / "retired" / f"{old.key_id.removeprefix('sha256:')}.pub"
    retired.parent.mkdir()
    new = create_key(tmp_path / "next")
    os.replace(new.private, old.private)
    with pytest.raises(IntegrityError, match="does not belong"):
        ensure_key(tmp_path)
    retired.write_bytes(before)
    assert ensure_key(tmp_path).key_id == new.key_id == load_public_key(old.public).key_id


def test_a_lost_key_is_not_replaced_while_its_public_half_proves_the_past(tmp_path: Path) -> None:
    lost = ensure_key(tmp_path)
    lost.private.unlink()
    before = lost.public.read_bytes()
    with pytest.raises(IntegrityError, match="is lost"):
        ensure_key(tmp_path)
    assert lost.public.read_bytes() == before
    retired = tmp_path / "keys" / "retired" / f"{lost.key_id.removeprefix('sha256:')}.pub"
    retired.parent.mkdir()
    lost.public.rename(retired)
    assert ensure_key(tmp_path).key_id not in (lost.key_id, "")
    assert [key.key_id for key in retired_keys(tmp_path / "keys")] == [lost.key_id]
