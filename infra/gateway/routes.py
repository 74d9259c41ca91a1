"""What is served, as one small file that is replaced whole: names of models and releases by digest.

write_snapshot(path, RouteSnapshot(4, {"triage": release}, (), (release,)))
read_snapshot(path).models["triage"]

The generation only grows, so an old snapshot that turns up late changes nothing.
"""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from infra import atomic
from infra.digest import hex_of
from infra.errors import IntegrityError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


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


def read_snapshot(path: Path) -> RouteSnapshot:
    """The snapshot in a file, EMPTY (generation 0) without one; raises IntegrityError when malformed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return EMPTY
    except OSError as error:
        raise IntegrityError(f"{path.name}: cannot be read: {error.strerror}") from error
    try:
        fields: dict[str, Any] = msgspec.json.decode(data, type=dict)
        if set(fields) != {"generation", "models", "staged", "resident"}:
            raise IntegrityError(f"{path.name}: got fields {sorted(fields)}")
        snapshot = msgspec.json.decode(data, type=RouteSnapshot)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise IntegrityError(f"{path.name}: malformed: {error}", hint="deploy or roll back again") from error
    _check(snapshot, path.name)
    return snapshot


def write_snapshot(path: Path, snapshot: RouteSnapshot) -> None:
    """Replace the snapshot; raises IntegrityError when it is malformed or its generation does not grow."""
    _check(snapshot, path.name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        present = read_snapshot(path).generation
        if snapshot.generation <= present:
            raise IntegrityError(
                f"{path.name}: got generation {snapshot.generation}, expected more than {present}",
                hint="another run changed the routes: read them again and decide again",
            )
        atomic.write_bytes(path, msgspec.json.encode(snapshot) + b"\n")
    finally:
        os.close(handle)


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
