"""The store in a bucket; trees are brought to a directory of this machine, and hashed there.

store = S3Store(open_bucket("s3://models/assay", settings), cache=home / "cache")
store.open_tree(store.put_tree(Path("adapter")))
"""

import contextlib
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path

from infra import atomic
from infra.digest import digest_bytes, digest_file, digest_manifest, hex_of, tree_manifest
from infra.errors import ConfigError, IntegrityError
from infra.locks import hold
from infra.store.files import FileStore, write_verified
from infra.store.s3.abilities import abilities
from infra.store.s3.bucket import Bucket
from infra.store.s3.download import download_bytes, download_file
from infra.store.s3.pointers import Pointers
from infra.store.s3.preparation import problems
from infra.store.s3.retention import retain
from infra.store.s3.trees import dump_tree, load_tree
from infra.store.s3.upload import upload_bytes, upload_file

_WAIT_S = 3600
"""How long another process on this machine may be at work on the same tree."""
_fetching = threading.Lock()


class S3Store:
    """Objects and lists of files in a bucket: `objects/ab/cdef…`, `trees/ab/cdef…`, `pointers/name`."""

    def __init__(self, bucket: Bucket, cache: Path) -> None:
        self.bucket = bucket
        self.cache = FileStore(cache)
        self._work = cache / "fetch"
        self._notes = cache / "uploads"

    @cached_property
    def pointers(self) -> Pointers:
        """Names that may be moved; raises ConfigError where the service does not refuse a second writer."""
        return Pointers(self.bucket)

    def has(self, digest: str) -> bool:
        return self.bucket.look(self.bucket.object_key(digest)) is not None

    def put_bytes(self, data: bytes) -> str:
        digest = digest_bytes(data)
        upload_bytes(self.bucket, self.bucket.object_key(digest), data)
        return digest

    def put_file(self, path: Path) -> str:
        digest = digest_file(path)
        self._upload(path, digest)
        return digest

    def _upload(self, path: Path, digest: str) -> None:
        upload_file(self.bucket, self.bucket.object_key(digest), path, digest, notes=self._notes)

    def get_bytes(self, digest: str) -> bytes:
        return download_bytes(self.bucket, self.bucket.object_key(digest), digest)

    def export_file(self, digest: str, target: Path) -> None:
        with self._fetching(digest) as work:
            with self._download(digest, work).open("rb") as source:
                write_verified(source, target, digest)
            shutil.rmtree(work)

    def has_tree(self, digest: str) -> bool:
        return self.bucket.look(self.bucket.tree_key(digest)) is not None

    def put_tree(self, root: Path) -> str:
        digest = self.cache.put_tree(root)
        path = self.cache.tree_path(digest)
        files = tree_manifest(path)
        if digest_manifest(files) != digest:
            raise _cache_altered(path, digest)
        if not self.has_tree(digest):
            for name, each in files.items():
                self._upload(path / name, each)
            # Last: whoever sees the list finds every file in it.
            upload_bytes(self.bucket, self.bucket.tree_key(digest), dump_tree(files))
        return digest

    def open_tree(self, digest: str) -> Path:
        path = self.tree_path(digest)
        if not path.is_dir():
            raise IntegrityError(f"{self.bucket.uri}: no tree {digest}", hint="run `assay doctor`")
        if digest_manifest(tree_manifest(path)) != digest:
            raise _cache_altered(path, digest)
        return path

    def tree_path(self, digest: str) -> Path:
        if not self.cache.has_tree(digest) and self.has_tree(digest):
            with self._fetching(digest) as work:
                if not self.cache.has_tree(digest):
                    self._bring(digest, work)
                shutil.rmtree(work, ignore_errors=True)
        return self.cache.tree_path(digest)

    def retain_tree(self, digest: str, now: datetime) -> datetime | None:
        """Lock a tree's objects against deletion, as the settings ask; until when, or None. See `retain`."""
        keys = [self.bucket.object_key(each) for each in self._files(digest).values()]
        return retain(self.bucket, [*keys, self.bucket.tree_key(digest)], now)

    def describe(self) -> str:
        if found := problems(self.bucket, abilities(self.bucket)):
            raise ConfigError(f"{self.bucket.uri}: {'; '.join(found)}", hint="see docs/store.md")
        return f"{self.bucket.uri}: writes are conditional, trees are kept in {self.cache.root}"

    def _files(self, digest: str) -> dict[str, str]:
        data = download_bytes(self.bucket, self.bucket.tree_key(digest), digest)
        return load_tree(data, f"{self.bucket.uri}: tree {digest}")

    def _bring(self, digest: str, work: Path) -> None:
        """Download a tree's files and let them appear together."""
        files = self._files(digest)
        left = list(files.values())
        for each in sorted(set(left)):
            self._download(each, work)
        with atomic.staged_directory(self.cache.tree_path(digest)) as staging:
            for name, each in files.items():
                target = staging / name
                target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                left.remove(each)
                if each in left:  # the same bytes under another name, too
                    shutil.copyfile(work / hex_of(each), target)
                    target.chmod(0o400)
                else:
                    (work / hex_of(each)).rename(target)

    def _download(self, digest: str, work: Path) -> Path:
        """The object in a file of its own; one that a killed process has left is hashed again."""
        target = work / hex_of(digest)
        if not target.exists() or digest_file(target) != digest:
            target.unlink(missing_ok=True)
            download_file(self.bucket, self.bucket.object_key(digest), digest, target)
        return target

    @contextlib.contextmanager
    def _fetching(self, digest: str) -> Iterator[Path]:
        """Where a tree or object is put together, by one thread of one process at a time."""
        name = f"fetch-{hex_of(digest)}"
        with _fetching, hold(self.cache.root / "locks", name, "a download", wait_s=_WAIT_S):
            yield self._work / hex_of(digest)


def _cache_altered(path: Path, digest: str) -> IntegrityError:
    return IntegrityError(
        f"{path} was altered: its files do not give {digest}",
        hint="find out who wrote there; then remove the directory: it is brought here again",
    )
