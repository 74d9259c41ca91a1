"""Another signing key for an installation: the old one signs no more, and what it signed stays signed.

rotated = rotate_key(home)
rotated.old, rotated.new                 # key ids
own_keys(home / "keys" / "signing.pub")  # the key in use and those that it replaced

A key that somebody else may hold has to be voided (`void_key`), when all that has to go on is signed anew.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from infra import atomic
from infra.digest import hex_of
from infra.errors import IntegrityError
from infra.signing.keys import (
    PRIVATE_NAME,
    PUBLIC_NAME,
    RETIRED,
    PublicKey,
    create_key,
    ensure_key,
    load_public_key,
)


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
    return tuple(load_public_key(file) for file in sorted((keys / RETIRED).glob("*.pub")))


def rotate_key(home: Path, passphrase: str = "") -> Rotated:
    """Put a new key in the place of the present one, whose private half is gone afterwards.

    A kill leaves the old pair or the new one, and whatever either signed counts. `passphrase` is a secret
    reference for both keys. Raises IntegrityError for a present key that cannot be used, Unavailable.
    """
    old, keys = ensure_key(home, passphrase), home / "keys"
    retired = _file(keys, old.key_id)
    retired.parent.mkdir(exist_ok=True, mode=0o700)
    atomic.write_bytes(retired, old.public.read_bytes(), mode=0o644)
    with atomic.storage_errors(keys), tempfile.TemporaryDirectory(prefix=".next-", dir=keys) as scratch:
        new = create_key(Path(scratch), passphrase)
        # The old public half stays until the new one, which follows from the private one, is in its place:
        # at no moment is there nobody to trust.
        os.replace(new.private, keys / PRIVATE_NAME)
        atomic.sync_directory(keys)
    return Rotated(old.key_id, ensure_key(home, passphrase).key_id)


def void_key(home: Path, key_id: str) -> None:
    """Nothing that this key signed counts any more; a second time changes nothing.

    What has to go on is signed by its successor before. Raises IntegrityError for the key in use.
    """
    keys = home / "keys"
    if load_public_key(keys / PUBLIC_NAME).key_id == key_id:
        raise IntegrityError(f"{key_id} is the key in use", hint="replace it: assay signing rotate")
    with atomic.storage_errors(keys):
        _file(keys, key_id).unlink(missing_ok=True)
        if (keys / RETIRED).is_dir():
            atomic.sync_directory(keys / RETIRED)


def _file(keys: Path, key_id: str) -> Path:
    return keys / RETIRED / f"{hex_of(key_id)}.pub"
