"""Files copied to where nobody can change them, hashed there, and loaded from there.

tree = seal_tree(root, ["adapter_config.json", …])
tree.files        # {name: digest} of the copies
tree.directory    # private directory of links to the sealed copies, for any loader that wants a path

On Linux a copy is a memfd sealed against writing, growing and shrinking (memfd_create(2), F_ADD_SEALS);
elsewhere it is a private file, 0400 in a 0700 directory. Memory is held until `close()`.
"""

import errno
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from infra.digest import PREFIX
from infra.refusal import Reason, VerificationError

CAN_SEAL = sys.platform == "linux" and hasattr(os, "memfd_create")
_CHUNK = 1 << 20
_OPEN_ERRORS = {
    errno.ENOENT: (Reason.FILE_MISSING, "missing"),
    errno.ENOTDIR: (Reason.FILE_MISSING, "missing"),
    errno.ELOOP: (Reason.LINK, "symbolic links are refused"),
    errno.ENXIO: (Reason.SPECIAL_FILE, "not a regular file"),  # what opening a socket says
}


class SealedTree:
    """Unchangeable copies of the files of a directory."""

    def __init__(
        self, directory: Path, files: Mapping[str, str], handles: list[int], *, sealed: bool
    ) -> None:
        self.directory = directory
        self.files = dict(files)
        self.sealed = sealed
        self._close = weakref.finalize(self, _dispose, directory, handles, os.getpid())

    def digests(self, hash_type: str) -> dict[str, str]:
        """`{name: "<hash_type>:<hex>"}` of the copies; SHA-256 is known, BLAKE3 is computed now."""
        if hash_type == "sha256":
            return dict(self.files)
        return {name: f"{hash_type}:{blake3_hex(self.directory / name)}" for name in self.files}

    def close(self) -> None:
        """Give the memory back; the paths stop working. Calling it again does nothing."""
        self._close()


def seal_tree(root: Path, names: Iterable[str], *, seal: bool = CAN_SEAL) -> SealedTree:
    """Copy, seal and hash the named files below `root`.

    Raises VerificationError naming a file that is absent, a link, or no regular file; OSError (ENOMEM,
    ENOSPC) when there is no room for the copies.
    """
    directory = Path(tempfile.mkdtemp(prefix="assay-release-"))
    handles: list[int] = []
    files: dict[str, str] = {}
    try:
        for name in names:
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = _copy_sealed(root, name) if seal else _copy_private(root, name, target)
            handles.append(handle)
            if seal:
                target.symlink_to(f"/proc/{os.getpid()}/fd/{handle}")
            files[name] = _digest(handle)
    except BaseException:
        _dispose(directory, handles, os.getpid())
        raise
    return SealedTree(directory, files, handles, sealed=seal)


def open_regular(root: Path, name: str) -> int:
    """A read-only descriptor; raises VerificationError for what is absent, a link or not a regular file."""
    try:
        # NONBLOCK: a named pipe in the place of a file must not hang the verifier.
        handle = os.open(root / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        known = _OPEN_ERRORS.get(error.errno or 0, (Reason.UNREADABLE, error.strerror))
        raise VerificationError(known[0], f"{name}: {known[1]}") from error
    status = os.fstat(handle)
    if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
        return handle
    os.close(handle)
    if stat.S_ISREG(status.st_mode):
        raise VerificationError(Reason.HARD_LINK, f"{name}: hard links are refused")
    raise VerificationError(Reason.SPECIAL_FILE, f"{name}: not a regular file")


def read_regular(root: Path, name: str, most_bytes: int) -> bytes:
    """A small file's bytes, read once; raises VerificationError naming it (also when it is too long)."""
    with os.fdopen(open_regular(root, name), "rb") as stream:
        data = stream.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise VerificationError(Reason.TOO_LARGE, f"{name}: longer than {most_bytes} bytes")
    return data


def _copy_sealed(root: Path, name: str) -> int:
    import fcntl

    source = open_regular(root, name)
    try:
        handle = os.memfd_create(Path(name).name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            while os.sendfile(handle, source, None, 1 << 30):
                pass
            seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
            fcntl.fcntl(handle, fcntl.F_ADD_SEALS, seals)
        except BaseException:
            os.close(handle)
            raise
        return handle
    finally:
        os.close(source)


def _copy_private(root: Path, name: str, target: Path) -> int:
    with os.fdopen(open_regular(root, name), "rb") as source, target.open("xb") as out:
        shutil.copyfileobj(source, out, _CHUNK)
    target.chmod(0o400)
    return os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _digest(handle: int) -> str:
    hasher, buffer, position = hashlib.sha256(), bytearray(_CHUNK), 0
    view = memoryview(buffer)
    while count := os.preadv(handle, [buffer], position):
        hasher.update(view[:count])
        position += count
    return PREFIX + hasher.hexdigest()


def blake3_hex(path: Path) -> str:
    """BLAKE3 of a file, mapped into memory and hashed on several cores."""
    from blake3 import blake3

    hexes: str = blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()
    return hexes


def _dispose(directory: Path, handles: list[int], owner: int) -> None:
    while handles:
        os.close(handles.pop())
    if os.getpid() == owner:  # a forked child drops its copies, not its parent's directory
        shutil.rmtree(directory, ignore_errors=True)


class SharedTrees:
    """Sealed trees by digest, counted: releases with one base hold one copy of it in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._trees: dict[str, tuple[SealedTree, int]] = {}

    def acquire(self, digest: str, build: Callable[[], SealedTree]) -> tuple[SealedTree, Callable[[], None]]:
        """The tree and how to let go of it; `build` makes and checks it when it is not held yet.

        Copies that are not sealed could change after their check, so they are never shared.
        """
        with self._lock:
            held, count = self._trees.get(digest, (None, 0))
            tree = held or build()
            if not tree.sealed:
                return tree, tree.close
            self._trees[digest] = (tree, count + 1)
        return tree, _once(lambda: self._release(digest))

    def _release(self, digest: str) -> None:
        with self._lock:
            tree, count = self._trees.pop(digest)
            if count > 1:
                self._trees[digest] = (tree, count - 1)
                return
        tree.close()


def _once(action: Callable[[], None]) -> Callable[[], None]:
    lock = threading.Lock()

    def run() -> None:
        if lock.acquire(blocking=False):
            action()

    return run
