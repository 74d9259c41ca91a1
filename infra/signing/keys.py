"""Signing keys of an installation: EC P-256, private part readable by its owner alone.

pair = ensure_key(home)            # home/keys/signing.pem (0600) and signing.pub
key = load_private_key(pair.private)
trusted = [load_public_key(pair.public)]

`passphrase` is a secret reference (`env:NAME`, `file:PATH`); without one the file is not encrypted.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from infra import atomic
from infra.digest import PREFIX, hex_of
from infra.errors import IntegrityError
from infra.signing.encrypted_key import decrypt, encrypt

PRIVATE_NAME, PUBLIC_NAME = "signing.pem", "signing.pub"
RETIRED = "retired"
"""Directory of the public halves of keys that were replaced, each named by its id."""
_MOST_BYTES = 16_384


class KeyExistsError(IntegrityError):
    """Raised when a new key would replace one."""


@dataclass(frozen=True)
class KeyPair:
    """Where the two halves of a signing key lie, and its id."""

    private: Path
    public: Path
    key_id: str


@dataclass(frozen=True)
class PublicKey:
    """A trusted key; `key_id` is the SHA-256 of its DER SubjectPublicKeyInfo."""

    key: ec.EllipticCurvePublicKey
    key_id: str
    hint: str
    """SHA-256 hex of the PEM form: what OMS v1 bundles carry as `publicKey.hint`."""


def create_key(directory: Path, passphrase: str = "") -> KeyPair:
    """A new key pair; never replaces one. Raises IntegrityError when a key or link is already there."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    private = ec.generate_private_key(ec.SECP256R1())
    _write_new(directory / PRIVATE_NAME, _private_pem(private, passphrase))
    public = describe(private.public_key())
    atomic.write_bytes(directory / PUBLIC_NAME, public_pem(public.key), mode=0o644)
    return KeyPair(directory / PRIVATE_NAME, directory / PUBLIC_NAME, public.key_id)


def ensure_key(home: Path, passphrase: str = "") -> KeyPair:
    """The installation's key pair below `home/keys`, made at first use.

    Raises IntegrityError when the key is readable by others, is a link, does not open with the passphrase,
    does not fit its public half, or is lost: a new one would replace the public half, which proves the past.
    """
    directory = home / "keys"
    private, public = directory / PRIVATE_NAME, directory / PUBLIC_NAME
    if not os.path.lexists(private):
        # The private half is written first: looked for again, it is there where somebody makes a pair now.
        if os.path.lexists(public) and not os.path.lexists(private):
            raise IntegrityError(
                f"{private} is lost, its public half is still there",
                hint="restore it from a backup; if it is gone for good, move the public half to"
                f" keys/{RETIRED}/ID.pub: what it signed still counts, and the next command makes a new pair",
            )
        with contextlib.suppress(KeyExistsError):
            return create_key(directory, passphrase)
    loaded = describe(load_private_key(private, passphrase).public_key())
    if not os.path.lexists(public):  # killed between the two files: the public half follows from the other
        atomic.write_bytes(public, public_pem(loaded.key), mode=0o644)
    if (present := load_public_key(public).key_id) != loaded.key_id:
        if not (directory / RETIRED / f"{hex_of(present)}.pub").is_file():
            raise IntegrityError(
                f"{public} does not belong to {private.name}",
                hint=f"restore the pair from a backup; expected key id {loaded.key_id}",
            )
        # Its key was replaced, and the kill came between the two files.
        atomic.write_bytes(public, public_pem(loaded.key), mode=0o644)
    return KeyPair(private, public, loaded.key_id)


def load_private_key(path: Path, passphrase: str = "") -> ec.EllipticCurvePrivateKey:
    """The private key.

    Raises IntegrityError for links, keys open to group or others, other key types, and a passphrase that is
    missing, wrong or not needed.
    """
    data = _read_private(path)
    try:
        key = decrypt(data, passphrase)
    except IntegrityError as error:
        raise IntegrityError(f"{path}: {error.message}", error.hint) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IntegrityError(f"{path}: not an EC P-256 key")
    return key


def load_public_key(path: Path) -> PublicKey:
    """A trusted public key from PEM; raises IntegrityError."""
    try:
        with path.open("rb") as stream:
            key = serialization.load_pem_public_key(stream.read(_MOST_BYTES))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise IntegrityError(f"{path}: not a readable PEM public key: {error}") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IntegrityError(f"{path}: not an EC P-256 key")
    return describe(key)


def describe(key: ec.EllipticCurvePublicKey) -> PublicKey:
    """A public key with the two names that bundles know it by."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(
        key, PREFIX + hashlib.sha256(der).hexdigest(), hashlib.sha256(public_pem(key)).hexdigest()
    )


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """PEM of the SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _private_pem(key: ec.EllipticCurvePrivateKey, passphrase: str) -> bytes:
    if passphrase:
        return encrypt(key, passphrase)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_private(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = "symbolic links are refused" if error.errno == errno.ELOOP else error.strerror
        raise IntegrityError(
            f"{path}: private key cannot be used: {reason}", hint="keep it as a file of your own, mode 0600"
        ) from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise IntegrityError(f"{path}: private key is not a regular file")
        if status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
            raise IntegrityError(
                f"{path}: private key is open to others (mode {stat.S_IMODE(status.st_mode):04o})",
                hint=f"chmod 600 {path}; if others could read it, make a new key",
            )
        return os.read(handle, _MOST_BYTES)
    finally:
        os.close(handle)


def _write_new(path: Path, data: bytes) -> None:
    # Written aside and linked: a reader never sees half a key, and link() replaces nothing.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with atomic.storage_errors(path):
        handle = os.open(aside, flags, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.link(aside, path)
        except FileExistsError:
            raise KeyExistsError(f"{path} exists: a key is never replaced", "move it away first") from None
        finally:
            aside.unlink()
        atomic.sync_directory(path.parent)
