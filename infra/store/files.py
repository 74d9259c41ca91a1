"""The store in a local directory: read-only files below `objects/` and `trees/`, written aside and renamed.

store = FileStore(Path("/srv/assay/store"))
store.get_bytes(store.put_bytes(b"..."))
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from infra import atomic
from infra.digest import (
    PREFIX,
    digest_bytes,
    digest_file,
    digest_manifest,
    digest_tree,
    hex_of,
    tree_manifest,
    walk_tree,
)
from infra.errors import IntegrityError

_CHUNK = 1 << 20


class FileStore:
    """A store in a local directory: `objects/ab/cdef…`, read-only files, atomic writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.objects = root / "objects"
        self.trees = root / "trees"
        with atomic.storage_errors(root):
            for directory in (self.objects, self.trees):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path_of(self, digest: str) -> Path:
        """Where an object lies, present or not; raises IntegrityError for a malformed digest."""
        name = hex_of(digest)
        return self.objects / name[:2] / name[2:]

    def has(self, digest: str) -> bool:
        return self.path_of(digest).is_file()

    def put_bytes(self, data: bytes) -> str:
        digest = digest_bytes(data)
        if not self.has(digest):
            atomic.write_bytes(self.path_of(digest), data, mode=0o400)
        return digest

    def put_file(self, path: Path) -> str:
        hasher = hashlib.sha256()
        with atomic.storage_errors(self.objects):
            handle, name = tempfile.mkstemp(prefix=".put.", suffix=".part", dir=self.objects)
            try:
                with os.fdopen(handle, "wb") as out, path.open("rb") as source:
                    while chunk := source.read(_CHUNK):
                        hasher.update(chunk)
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())
                digest = PREFIX + hasher.hexdigest()
                target = self.path_of(digest)
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                os.chmod(name, 0o400)
                os.replace(name, target)
                atomic.sync_directory(target.parent)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        return digest

    def get_bytes(self, digest: str) -> bytes:
        try:
            data = self.path_of(digest).read_bytes()
        except FileNotFoundError:
            raise IntegrityError(f"store has no object {digest}", hint="run `assay doctor`") from None
        if (got := digest_bytes(data)) != digest:
            raise IntegrityError(f"object {digest} was altered in the store: its bytes are {got}")
        return data

    def export_file(self, digest: str, target: Path) -> None:
        try:
            source = self.path_of(digest).open("rb")
        except FileNotFoundError:
            raise IntegrityError(f"store has no object {digest}", hint="run `assay doctor`") from None
        with source:
            write_verified(source, target, digest)

    def tree_path(self, digest: str) -> Path:
        """Where a tree lies, present or not, unverified."""
        return self.trees / hex_of(digest)

    def has_tree(self, digest: str) -> bool:
        """Whether a tree is present (not whether it is still right)."""
        return self.tree_path(digest).is_dir()

    def put_tree(self, root: Path) -> str:
        files = tree_manifest(root)
        digest = digest_manifest(files)
        if not self.has_tree(digest):
            with atomic.staged_directory(self.tree_path(digest)) as staging:
                for name in files:
                    (staging / name).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    shutil.copyfile(root / name, staging / name)
                    (staging / name).chmod(0o400)
                check_files(staging, files)
        return digest

    def open_tree(self, digest: str) -> Path:
        path = self.tree_path(digest)
        if not path.is_dir():
            raise IntegrityError(f"store has no tree {digest}", hint="run `assay doctor`")
        if (got := digest_tree(path)) != digest:
            raise IntegrityError(f"tree {digest} was altered in the store: its files give {got}")
        return path

    def describe(self) -> str:
        return f"directory {self.root}"

    def remove(self, digest: str) -> None:
        """Forget an object, present or not; trees are never removed. Raises Unavailable."""
        path = self.path_of(digest)
        with atomic.storage_errors(path):
            path.unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """Every stored digest, in no order."""
        for directory in self.objects.iterdir():
            if directory.is_dir():
                for entry in directory.iterdir():
                    if not entry.name.endswith(".part"):
                        yield PREFIX + directory.name + entry.name


def write_verified(source: BinaryIO, target: Path, digest: str) -> None:
    """Copy an object's bytes to a new file; IntegrityError, and nothing is left, unless they are right."""
    hasher = hashlib.sha256()
    with atomic.storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        out = target.open("xb")
        try:
            with out:
                while chunk := source.read(_CHUNK):
                    hasher.update(chunk)
                    out.write(chunk)
            if (got := PREFIX + hasher.hexdigest()) != digest:
                raise IntegrityError(f"object {digest} was altered in the store: its bytes are {got}")
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def check_files(root: Path, files: Mapping[str, str]) -> None:
    """Raises IntegrityError naming the first file that is missing, altered or not expected."""
    present = set(walk_tree(root))
    for name in sorted(set(files) - present):
        raise IntegrityError(f"{name}: missing")
    for name in sorted(present - set(files)):
        raise IntegrityError(f"{name}: not expected here")
    for name, expected in sorted(files.items()):
        if (got := digest_file(root / name)) != expected:
            raise IntegrityError(f"{name}: altered: got {got}, expected {expected}")
