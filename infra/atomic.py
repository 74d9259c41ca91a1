"""Writes that are whole or absent: write aside, fsync, rename, fsync the directory.

write_bytes(path, data)          # a reader sees the old file or the new one, never a part
with staged_directory(target) as staging: ...   # renamed to `target` when the block ends well
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from infra.errors import Unavailable


def write_bytes(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace `path` by `data` atomically; raises Unavailable when the disk refuses (full, read-only)."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(name, mode)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
            raise
        sync_directory(path.parent)


def write_text(path: Path, text: str, *, mode: int = 0o600) -> None:
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode(), mode=mode)


@contextlib.contextmanager
def staged_directory(target: Path) -> Iterator[Path]:
    """A private directory that becomes `target` when the block ends well, and vanishes when it does not.

    An existing `target` is never replaced: it is content-addressed, so the same bytes are there already
    and the staging copy is dropped. Raises Unavailable when the disk refuses.
    """
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent))
    try:
        with storage_errors(target):
            yield staging
            sync_tree(staging)
            with contextlib.suppress(FileExistsError):
                _rename_new(staging, target)
            sync_directory(target.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _rename_new(source: Path, target: Path) -> None:
    try:
        os.rename(source, target)
    except OSError as error:
        if target.is_dir():
            raise FileExistsError(target) from error
        raise


def sync_tree(root: Path) -> None:
    """fsync every file and directory below `root`."""
    for directory, _, files in os.walk(root):
        for name in files:
            _sync(os.path.join(directory, name))
        _sync(directory)


def sync_directory(path: Path) -> None:
    """fsync a directory so that a rename in it survives a power cut."""
    _sync(path)


def _sync(path: str | Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a disk's refusal (full, quota, read-only, denied, size limit, I/O) into Unavailable."""
    import errno

    refusals = {
        errno.ENOSPC: "disk full",
        errno.EDQUOT: "quota exceeded",
        errno.EROFS: "read-only",
        errno.EACCES: "permission denied",
        errno.EFBIG: "file size limit exceeded",
        errno.EIO: "input/output error",
    }
    try:
        yield
    except OSError as error:
        if error.errno in refusals:
            raise Unavailable(
                f"cannot write {path}: {refusals[error.errno]}{_at(path, error)}",
                hint="free space or fix the permissions and run again:"
                " nothing half-written was kept, finished steps are reused",
            ) from error
        raise


def _at(path: Path, error: OSError) -> str:
    """The file that really refused, when it is another: a source may be unreadable."""
    return f" (at {error.filename})" if error.filename and str(error.filename) != str(path) else ""
