"""What is served, as one small signed file that is replaced whole: names of models and releases by digest.

write_snapshot(path, RouteSnapshot(4, {"triage": release}, (), (release,)), private_key)
read_snapshot(path, public_key).models["triage"]

The generation only grows, so an old snapshot that turns up late changes nothing.
"""

import fcntl
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from infra import atomic
from infra.digest import digest_json, hex_of
from infra.errors import IntegrityError
from infra.signing.dsse import sign_statement, statement, subjects_of, verify_statement
from infra.signing.keys import PublicKey, describe, load_private_key
from infra.signing.rotation import own_keys, retired_keys

PREDICATE_TYPE = "urn:assay:routes:v1"
_SUBJECT = "routes"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_MOST_BYTES = 1 << 20
_HINT = "remove the file and run `assay down && assay up`: the ledger says what has to be served"


@dataclass(frozen=True)
class RouteSnapshot:
    """One consistent state of all routes."""

    generation: int
    models: dict[str, str]
    """Name that clients ask for → digest of the champion."""
    staged: tuple[str, ...] = ()
    """Releases that only keys with scope `staged` may ask, by digest."""
    resident: tuple[str, ...] = ()
    """Releases that the model server keeps loaded: at least all of the above."""


EMPTY = RouteSnapshot(0, {})


def read_snapshot(path: Path, public_key: Path) -> RouteSnapshot:
    """The snapshot in a file, EMPTY (generation 0) without one.

    Raises IntegrityError when it is malformed or signed neither by this key nor by one that it replaced.
    """
    return _read(path, own_keys(public_key) if path.exists() else [])


def write_snapshot(path: Path, snapshot: RouteSnapshot, private_key: Path, passphrase: str = "") -> None:
    """Replace the snapshot by a signed one.

    Raises IntegrityError when it is malformed or its generation does not grow, or when the key or the present
    snapshot cannot be used.
    """
    _check(snapshot, path.name)
    key = load_private_key(private_key, passphrase)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        present = _read(path, [describe(key.public_key()), *retired_keys(private_key.parent)]).generation
        if snapshot.generation <= present:
            raise IntegrityError(
                f"{path.name}: got generation {snapshot.generation}, expected more than {present}",
                hint="another run changed the routes: read them again and decide again",
            )
        fields = msgspec.to_builtins(snapshot)
        content = statement({_SUBJECT: digest_json(fields)}, PREDICATE_TYPE, fields)
        atomic.write_bytes(path, sign_statement(content, key))
    finally:
        os.close(handle)


def _read(path: Path, trusted: Sequence[PublicKey]) -> RouteSnapshot:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        return EMPTY
    except OSError as error:
        raise IntegrityError(f"{path.name}: cannot be read: {error.strerror}") from error
    try:
        content = verify_statement(data, trusted, path.name)
    except IntegrityError as error:
        raise IntegrityError(error.message, _HINT) from error
    if content.get("predicateType") != PREDICATE_TYPE:
        raise IntegrityError(f"{path.name}: signs a {content.get('predicateType')!r}, not routes", _HINT)
    fields = content.get("predicate")
    if not isinstance(fields, dict) or set(fields) != {"generation", "models", "staged", "resident"}:
        raise IntegrityError(f"{path.name}: got {fields!r:.200}, expected the fields of a snapshot", _HINT)
    try:
        snapshot = msgspec.convert(fields, RouteSnapshot)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{path.name}: malformed: {error}", _HINT) from error
    if subjects_of(content, path.name) != {_SUBJECT: digest_json(fields)}:
        raise IntegrityError(f"{path.name}: its subject is not the routes that it holds", _HINT)
    _check(snapshot, path.name)
    return snapshot


def _check(snapshot: RouteSnapshot, name: str) -> None:
    if snapshot.generation < 1:
        raise IntegrityError(f"{name}: got generation {snapshot.generation}, expected 1 or more")
    for model in snapshot.models:
        if not _NAME.fullmatch(model):
            raise IntegrityError(f"{name}: {model!r} is not the name of a model")
    served = [*snapshot.models.values(), *snapshot.staged]
    for release in (*served, *snapshot.resident):
        hex_of(release)
    for release in served:
        if release not in snapshot.resident:
            raise IntegrityError(f"{name}: {release} is served but not resident")
