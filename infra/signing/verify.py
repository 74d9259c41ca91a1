"""Verify before load: the only way to a `VerifiedRelease`, and the only files that may be loaded.

with verify_release(directory, trusted_keys=[home / "keys/signing.pub"], store=store) as release:
    load(release.base_dir, release.adapter_dir, release.prompt)

Fails closed: whatever goes wrong is an IntegrityError that names the file and the reason.
"""

import contextlib
import os
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from infra.digest import canonical_json, digest_bytes, digest_file, hex_of, walk_tree
from infra.errors import IntegrityError, Unavailable
from infra.signing import contents
from infra.signing import manifest as layout
from infra.signing.documents import MOST_BYTES, parse_object
from infra.signing.dsse import subjects_of, verify_statement
from infra.signing.keys import PublicKey, load_public_key
from infra.signing.manifest import ReleaseManifest, check_expiry, parse_manifest
from infra.signing.oms import check_model_statement
from infra.signing.sealed import SealedTree, SharedTrees, open_regular, read_regular, seal_tree
from infra.store import Store

_HINT = "do not use this release: restore its directory from a backup, or package it again"
_SIGNED_MOST_BYTES = 8 << 20
_BASES = SharedTrees()
_PERMIT = object()


class VerifiedRelease:
    """A release whose every byte was checked; only `verify_release` makes one. Close it to free memory."""

    def __init__(
        self,
        permit: object,
        manifest: ReleaseManifest,
        trees: tuple[SealedTree, SealedTree],
        parts: Mapping[str, bytes],
        close: Callable[[], None],
    ) -> None:
        if permit is not _PERMIT:
            raise TypeError("only verify_release() makes a VerifiedRelease")
        self.manifest = manifest
        self.digest: str = manifest.digest
        self.base_dir: Path = trees[0].directory
        self.adapter_dir: Path = trees[1].directory
        self.prompt: dict[str, Any] = parse_object(parts[layout.PROMPT], layout.PROMPT)
        self.guard_yaml: bytes = parts[layout.GUARD]
        self.access_yaml: bytes = parts[layout.ACCESS]
        self._trees = trees  # keeps the sealed memory alive as long as the paths are known
        self._close = weakref.finalize(self, close)

    def close(self) -> None:
        """Free the copies; `base_dir` and `adapter_dir` stop working. Calling it again does nothing."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def verify_manifest(
    directory: Path, *, trusted_keys: Sequence[Path], now: datetime | None = None
) -> ReleaseManifest:
    """The light check: signature, name of the directory, expiry, and prompt, guard and access files.

    Weights are not read: what is loaded needs `verify_release`. Raises IntegrityError.
    """
    with _fail_closed(directory):
        manifest = _signed_manifest(directory, _keys(trusted_keys), now)
        for name in layout.LIGHT:
            _part(directory, manifest, name)
        return manifest


def read_part(directory: Path, manifest: ReleaseManifest, name: str) -> bytes:
    """One file of a release, read once and checked in memory, for use; raises IntegrityError."""
    with _fail_closed(directory):
        return _part(directory, manifest, name)


def verify_release(
    directory: Path, *, trusted_keys: Sequence[Path], store: Store, now: datetime | None = None
) -> VerifiedRelease:
    """The full check, see the module's docstring; raises IntegrityError, and Unavailable of the store."""
    with _fail_closed(directory), contextlib.ExitStack() as undo:
        keys = _keys(trusted_keys)
        manifest = _signed_manifest(directory, keys, now)
        _check_file_set(walk_tree(directory), [*manifest.files, layout.MANIFEST, layout.BUNDLE], "")
        _check_directories(directory, manifest)
        parts = {name: _part(directory, manifest, name) for name in layout.LIGHT}
        if canonical_json(parse_object(parts[layout.PROMPT], layout.PROMPT)) != parts[layout.PROMPT]:
            raise IntegrityError(f"{layout.PROMPT}: not in canonical form")
        _check_other_files(directory, manifest)
        adapter = _seal("adapter", directory / "adapter", manifest.below(layout.ADAPTER))
        undo.callback(adapter.close)
        _check_signed_documents(directory, manifest, adapter, keys)
        base, release_base = _BASES.acquire(manifest.base.digest, lambda: _base(manifest, store))
        undo.callback(release_base)
        return VerifiedRelease(_PERMIT, manifest, (base, adapter), parts, undo.pop_all().close)


@contextlib.contextmanager
def _fail_closed(directory: Path) -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        message = f"release {directory.name[:12]}: {error.message}"
        raise IntegrityError(message, error.hint or _HINT) from error
    except Unavailable:
        raise  # the base could not be brought here: nothing is known to be wrong, and nothing is handed out
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise IntegrityError(f"release {directory.name[:12]}: cannot be verified: {what}", _HINT) from error


def _keys(paths: Sequence[Path]) -> list[PublicKey]:
    if not paths:
        raise IntegrityError("no trusted key is given", hint="name the public key of the release's signer")
    return [load_public_key(path) for path in paths]


def _signed_manifest(directory: Path, keys: Sequence[PublicKey], now: datetime | None) -> ReleaseManifest:
    if directory.is_symlink() or not directory.is_dir():
        raise IntegrityError(f"{directory} is not a release directory", hint="see `assay release list`")
    data = read_regular(directory, layout.MANIFEST, MOST_BYTES)
    bundle = read_regular(directory, layout.BUNDLE, _SIGNED_MOST_BYTES)
    digest = digest_bytes(data)
    signed = verify_statement(bundle, keys, layout.BUNDLE)
    if signed.get("predicateType") != layout.PREDICATE_TYPE:
        raise IntegrityError(f"{layout.BUNDLE}: signs a {signed.get('predicateType')!r}, not a release")
    if (got := subjects_of(signed, layout.BUNDLE)) != {layout.MANIFEST: digest}:
        raise IntegrityError(
            f"{layout.MANIFEST}: altered: got {digest}, signed is {got.get(layout.MANIFEST)}"
        )
    if directory.name != hex_of(digest):
        raise IntegrityError(
            f"{layout.MANIFEST}: this is release {digest}, presented as {directory.name}",
            hint="a release directory carries its own digest as its name",
        )
    manifest = parse_manifest(data)
    check_expiry(manifest, now)
    return manifest


def _part(directory: Path, manifest: ReleaseManifest, name: str) -> bytes:
    data = read_regular(directory, name, MOST_BYTES)
    _compare(name, digest_bytes(data), manifest.files.get(name))
    return data


def _compare(name: str, got: str, expected: str | None) -> None:
    if got != expected:
        raise IntegrityError(f"{name}: altered: got {got}, expected {expected}")


def _check_file_set(present: Sequence[str], expected: Sequence[str], prefix: str) -> None:
    for name in sorted(set(expected) - set(present)):
        raise IntegrityError(f"{prefix}{name}: missing")
    for name in sorted(set(present) - set(expected)):
        raise IntegrityError(f"{prefix}{name}: not expected here")


def _check_directories(directory: Path, manifest: ReleaseManifest) -> None:
    wanted = {str(parent) for name in manifest.files for parent in Path(name).parents}
    for path, below, _ in os.walk(directory):
        for name in below:
            relative = Path(path, name).relative_to(directory)
            if str(relative) not in wanted:
                raise IntegrityError(f"{relative.as_posix()}/: not expected here")


def _check_other_files(directory: Path, manifest: ReleaseManifest) -> None:
    """Files that are kept as evidence and never loaded: hashed in place."""
    for name, expected in manifest.files.items():
        if name not in layout.LIGHT and not name.startswith(layout.ADAPTER):
            os.close(open_regular(directory, name))
            _compare(name, digest_file(directory / name), expected)


def _seal(kind: str, root: Path, files: Mapping[str, str]) -> SealedTree:
    """Copies of exactly these files, of allowed types, with exactly these digests."""
    contents.check_names(kind, files)
    try:
        tree = seal_tree(root, sorted(files))
    except IntegrityError as error:
        raise IntegrityError(f"{kind}/{error.message}", error.hint) from error
    try:
        for name, expected in files.items():
            _compare(f"{kind}/{name}", tree.files[name], expected)
            contents.check_content(f"{kind}/{name}", tree.directory / name)
    except BaseException:
        tree.close()
        raise
    return tree


def _base(manifest: ReleaseManifest, store: Store) -> SealedTree:
    root = store.tree_path(manifest.base.digest)
    if root.is_symlink() or not root.is_dir():
        raise IntegrityError(
            f"base {manifest.base.name}: the store has no tree {manifest.base.digest}",
            hint="run the develop flow: it converts and stores the base again",
        )
    try:
        present = walk_tree(root)
    except IntegrityError as error:
        raise IntegrityError(f"base/{error.message}", error.hint) from error
    _check_file_set(present, list(manifest.base.files), "base/")
    return _seal("base", root, manifest.base.files)


def _check_signed_documents(
    directory: Path, manifest: ReleaseManifest, adapter: SealedTree, keys: Sequence[PublicKey]
) -> None:
    """Adapter signature, attestations and gate report: signed by a trusted key, about this very unit."""
    name = layout.ADAPTER_SIGNATURE
    signed = verify_statement(_document(directory, manifest, name), keys, name)
    root = check_model_statement(signed, adapter.files, name)
    for name in sorted(manifest.files):
        if name.startswith(layout.ATTESTATIONS):
            signed = verify_statement(_document(directory, manifest, name), keys, name)
            _check_subjects(subjects_of(signed, name), manifest, root, name)
    name = layout.GATE_REPORT
    report = parse_object(_document(directory, manifest, name), name, most_bytes=_SIGNED_MOST_BYTES)
    if (report.get("candidate"), report.get("verdict")) != (manifest.unit, "pass"):
        raise IntegrityError(f"{name}: does not say 'pass' for unit {manifest.unit}")


def _check_subjects(got: Mapping[str, str], manifest: ReleaseManifest, root: str, name: str) -> None:
    """About this unit and adapter; it may name the adapter's tree and files too, and nothing else."""
    unit = {"unit": manifest.unit, "adapter": root}
    parts = {"adapter-tree": manifest.adapter} | {
        file: digest for file, digest in manifest.files.items() if file.startswith(layout.ADAPTER)
    }
    if any(got.get(subject) != digest for subject, digest in unit.items()) or any(
        (unit | parts).get(subject) != digest for subject, digest in got.items()
    ):
        raise IntegrityError(f"{name}: speaks of another unit or adapter")


def _document(directory: Path, manifest: ReleaseManifest, name: str) -> bytes:
    data = read_regular(directory, name, _SIGNED_MOST_BYTES)
    _compare(name, digest_bytes(data), manifest.files.get(name))
    return data
