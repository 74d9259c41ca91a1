"""Another signing key for an installation: the old one signs no more, and what it signed stays signed.

rotated = rotate_key(home)
rotated.old, rotated.new                 # key ids
own_keys(home / "keys" / "signing.pub")  # the key in use and those that it replaced

A key that somebody else may hold has to be voided: then all that it signed has to be signed anew.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra import atomic
from infra.digest import hex_of
from infra.signing.keys import (
    PRIVATE_NAME,
    PUBLIC_NAME,
    PublicKey,
    create_key,
    ensure_key,
    load_public_key,
)

_RETIRED = "retired"


@dataclass(frozen=True)
class Rotated:
    """Ids of the key that was in use and of the one that is now."""

    old: str
    new: str


def own_keys(public_key: Path) -> list[PublicKey]:
    """The installation's key in this file and those that it replaced; raises IntegrityError."""
    return [load_public_key(public_key), *retired_keys(public_key.parent)]


def retired_keys(keys: Path) -> tuple[PublicKey, ...]:
    """Public halves of earlier keys; raises IntegrityError for a file that is none."""
    return tuple(load_public_key(file) for file in sorted((keys / _RETIRED).glob("*.pub")))


def rotate_key(home: Path, passphrase: str = "", *, void: bool = False) -> Rotated:
    """Put a new key in the place of the present one, whose private half is gone afterwards.

    With `void` nothing that the old key signed counts any more. A kill leaves the old pair or the new one.
    `passphrase` is a secret reference for both keys. Raises IntegrityError for a present key that cannot be
    used, Unavailable.
    """
    old, keys = ensure_key(home, passphrase), home / "keys"
    if not void:
        retired = keys / _RETIRED / f"{hex_of(old.key_id)}.pub"
        retired.parent.mkdir(exist_ok=True, mode=0o700)
        atomic.write_bytes(retired, old.public.read_bytes(), mode=0o644)
    with atomic.storage_errors(keys), tempfile.TemporaryDirectory(prefix=".next-", dir=keys) as scratch:
        new = create_key(Path(scratch), passphrase)
        # The public half follows from the private one: whoever comes next writes it, also after a kill.
        (keys / PUBLIC_NAME).unlink()
        os.replace(new.private, keys / PRIVATE_NAME)
        atomic.sync_directory(keys)
    return Rotated(old.key_id, ensure_key(home, passphrase).key_id)
