"""A private key under a passphrase: PKCS#8 with PBES2, as OpenSSL and `cryptography` read it.

pem = encrypt(key, "env:KEY_PASSPHRASE")      # a secret reference
key = decrypt(pem, "env:KEY_PASSPHRASE")      # or IntegrityError

`cryptography` writes 2,048 rounds of PBKDF2; guessing a passphrase has to cost more than that.
"""

import secrets

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from infra.errors import IntegrityError

# OWASP Password Storage Cheat Sheet (2023) for HMAC-SHA-256.
_ROUNDS = 600_000
_LABEL = "ENCRYPTED PRIVATE KEY"
_KEY_BYTES, _BLOCK_BYTES = 32, 16


def is_encrypted(data: bytes) -> bool:
    """Whether PEM text holds a key under a passphrase."""
    return b"ENCRYPTED" in data


def encrypt(key: ec.EllipticCurvePrivateKey, passphrase: str) -> bytes:
    """PEM of the key (AES-256-CBC); raises ConfigError when the reference gives no passphrase."""
    from asn1crypto import algos, keys, pem

    salt, iv = secrets.token_bytes(_BLOCK_BYTES), secrets.token_bytes(_BLOCK_BYTES)
    derived = PBKDF2HMAC(hashes.SHA256(), _KEY_BYTES, salt, _ROUNDS).derive(_secret(passphrase))
    plain = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    padder = padding.PKCS7(8 * _BLOCK_BYTES).padder()
    encryptor = Cipher(algorithms.AES(derived), modes.CBC(iv)).encryptor()
    rounds = {"salt": algos.Pbkdf2Salt("specified", salt), "iteration_count": _ROUNDS}
    info = keys.EncryptedPrivateKeyInfo(
        {
            "encryption_algorithm": {
                "algorithm": "pbes2",
                "parameters": {
                    "key_derivation_func": {
                        "algorithm": "pbkdf2",
                        "parameters": rounds | {"prf": {"algorithm": "sha256"}},
                    },
                    "encryption_scheme": {"algorithm": "aes256_cbc", "parameters": iv},
                },
            },
            "encrypted_data": encryptor.update(padder.update(plain) + padder.finalize())
            + encryptor.finalize(),
        }
    )
    return bytes(pem.armor(_LABEL, info.dump()))


def decrypt(data: bytes, passphrase: str) -> PrivateKeyTypes:
    """The key in PEM text; `passphrase` is a secret reference, or empty for a key that has none.

    Raises IntegrityError for a wrong or missing passphrase, for one that is not needed (somebody may have
    put another key there), and for anything that is no key.
    """
    encrypted = is_encrypted(data)
    if encrypted and not passphrase:
        raise IntegrityError("the key is under a passphrase", hint="name it: env:NAME or file:PATH")
    if passphrase and not encrypted:
        raise IntegrityError("expected a key under a passphrase, got one without", hint="restore the key")
    try:
        return serialization.load_pem_private_key(data, _secret(passphrase) if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        # The error's text may quote the file, so it is not repeated.
        if encrypted:
            raise IntegrityError(
                "the passphrase does not open the key", hint="check what the reference names"
            ) from None
        raise IntegrityError("not a PEM private key") from error


def _secret(reference: str) -> bytes:
    # Imported where there is a passphrase: it brings all configuration along, and verifiers load this file.
    from infra.config.secrets import resolve

    return resolve(reference).encode()
