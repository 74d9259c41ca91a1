"""Atomic writes: whole or absent, also when the disk refuses or the process is killed."""

import errno
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra import atomic
from infra.errors import Unavailable


def _names(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


@pytest.mark.parametrize(
    "code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG, errno.EIO]
)
def test_a_disk_that_refuses_is_unavailable_and_named(tmp_path: Path, code: int) -> None:
    with pytest.raises(Unavailable, match=r"thing"), atomic.storage_errors(tmp_path / "thing"):
        raise OSError(code, os.strerror(code))


def test_other_errors_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic.storage_errors(tmp_path):
        raise FileNotFoundError(errno.ENOENT, "gone")


def test_file_size_limit_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    atomic.write_bytes(target, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(Unavailable, match=r"state\.json"):
            atomic.write_bytes(target, b"x" * 5000)
        with pytest.raises(Unavailable), atomic.staged_directory(tmp_path / "tree") as staging:
            (staging / "big").write_bytes(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert target.read_bytes() == b"old"
    assert _names(tmp_path) == ["state.json"]


def test_a_failing_block_leaves_no_directory(tmp_path: Path) -> None:
    with pytest.raises(KeyError), atomic.staged_directory(tmp_path / "tree") as staging:
        {(staging / "a").write_bytes(b"1"): "written"}["something else"]
    assert _names(tmp_path) == []


def test_an_existing_directory_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a").write_bytes(b"first")
    with atomic.staged_directory(tmp_path / "tree") as staging:
        (staging / "a").write_bytes(b"second")
    assert (tmp_path / "tree" / "a").read_bytes() == b"first"
    assert _names(tmp_path) == ["tree"]


def test_a_file_in_the_way_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tree").write_bytes(b"file")
    with pytest.raises(OSError), atomic.staged_directory(tmp_path / "tree"):
        pass
    assert (tmp_path / "tree").read_bytes() == b"file"


def test_written_files_are_private_and_parents_are_made(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "key"
    atomic.write_text(target, "sécret")
    assert target.read_bytes() == "sécret".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_sigkill_between_write_and_rename_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    atomic.write_bytes(target, b"old")
    code = (
        "import os, signal, sys; from pathlib import Path; from infra import atomic\n"
        "os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
        "atomic.write_bytes(Path(sys.argv[1]), b'new' * 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == -9
    assert target.read_bytes() == b"old"
    assert [name for name in _names(tmp_path) if not name.endswith(".part")] == ["state.json"]
