"""Releases in the bucket: locked, found by their digest, brought back when a machine is lost.

archive_release(workspace, release)     # the release and its base, locked as the settings ask
restore_release(workspace, release)     # its directory again, verified; the base comes when it is used

A store in a directory has no archive: releases lie beside it already.
"""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from infra import atomic
from infra.digest import hex_of
from infra.errors import ConfigError, IntegrityError
from infra.signing import TrustRoot, verify_manifest
from infra.store.s3 import S3Store, retain
from infra.workspace import Workspace


@dataclass(frozen=True)
class Archived:
    """A release that lies in the bucket."""

    release: str
    tree: str
    """Digest of the release directory as a tree."""
    kept_until: str | None
    """ISO 8601; None when the settings ask for no lock."""


def archive_release(workspace: Workspace, release: str) -> Archived:
    """Store a release's directory and let its digest stand for it; a second time changes nothing.

    Raises ConfigError (no bucket, no Object Lock though asked for, writes that are not conditional),
    IntegrityError when the release does not verify or its base is not in the store, Conflict when another
    directory was archived as this release, Unavailable.
    """
    store, directory = _bucket(workspace), workspace.releases / hex_of(release)
    manifest = verify_manifest(directory, trust=workspace.trust)
    pointers, now = store.pointers, datetime.now(UTC)  # refused before anything is sent
    if not store.has_tree(manifest.base.digest):
        raise IntegrityError(
            f"base {manifest.base.name}: the store has no tree {manifest.base.digest}",
            hint="run the develop flow: it converts and stores the base again",
        )
    tree = store.put_tree(directory)
    kept = [store.retain_tree(each, now) for each in (manifest.base.digest, tree)]
    pointers.create(_name(release), tree)
    retain(store.bucket, [pointers.key(_name(release))], now)
    return Archived(release, tree, kept[-1].isoformat() if kept[-1] else None)


def restore_release(workspace: Workspace, release: str) -> Path:
    """The release's directory, brought back when it is not there; raises as `archive_release` does."""
    store, directory = _bucket(workspace), workspace.releases / hex_of(release)
    if not directory.is_dir():
        tree = store.pointers.read(_name(release))
        if tree is None:
            raise IntegrityError(f"{store.bucket.uri}: no release {release}", hint="see `assay audit`")
        _bring(store.open_tree(tree), directory, workspace.trust)
    # What may be served is verified again when it is loaded; one that has expired can still be looked at.
    verify_manifest(directory, trust=workspace.trust, in_force=False)
    return directory


def has_archive(workspace: Workspace) -> bool:
    """Whether releases of this installation are archived: its store is a bucket."""
    return isinstance(workspace.store, S3Store)


def _bring(found: Path, directory: Path, trust: TrustRoot) -> None:
    """Copy a release and let it appear when it verifies, under the name that is part of the check."""
    releases = directory.parent
    with atomic.storage_errors(releases):
        releases.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=releases) as scratch:
            staged = Path(scratch) / directory.name
            shutil.copytree(found, staged)
            verify_manifest(staged, trust=trust, in_force=False)
            atomic.sync_tree(staged)
            staged.rename(directory)
        atomic.sync_directory(releases)


def _bucket(workspace: Workspace) -> S3Store:
    if not isinstance(workspace.store, S3Store):
        raise ConfigError(
            f"store {workspace.project.store_place.uri} is a directory: releases are archived in a bucket",
            hint="set `store: s3://bucket/prefix` in the profile",
        )
    return workspace.store


def _name(release: str) -> str:
    return f"releases/{hex_of(release)}"
