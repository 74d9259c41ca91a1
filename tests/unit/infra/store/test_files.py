"""The store: altered bytes are refused, killed or refused writes leave nothing visible."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.config.store import StorePlace
from infra.digest import digest_bytes, digest_tree
from infra.errors import ConfigError, IntegrityError, Unavailable
from infra.store import FileStore, check_files, open_store


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "a").write_bytes(b"one")
    (root / "sub" / "b").write_bytes(b"two")
    return root


def _alter(path: Path) -> None:
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    "uri", ["", "/plain/path", "s3:/bucket/x", "file:", "file://otherhost/srv/store", "http://x/y"]
)
def test_other_uris_are_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="file:///absolute/path"):
        open_store(StorePlace(uri))


def test_uri_of_a_path_with_blanks_and_percent_opens_that_path(tmp_path: Path) -> None:
    home = tmp_path / "my home 100%"
    store = open_store(StorePlace(home.as_uri()))
    assert isinstance(store, FileStore)
    assert store.root == home


@pytest.mark.parametrize("digest", ["../../etc/passwd", "sha256:../../x", "sha256:" + "0" * 62 + "/a"])
def test_a_digest_cannot_leave_the_store(store: FileStore, digest: str) -> None:
    with pytest.raises(IntegrityError, match="not a digest"):
        store.get_bytes(digest)
    with pytest.raises(IntegrityError, match="not a digest"):
        store.open_tree(digest)


def test_absent_bytes_and_trees_are_named(store: FileStore, tmp_path: Path) -> None:
    absent = digest_bytes(b"never stored")
    for ask in (store.get_bytes, store.open_tree, lambda d: store.export_file(d, tmp_path / "out")):
        with pytest.raises(IntegrityError, match=absent):
            ask(absent)
    assert not (tmp_path / "out").exists()
    assert not store.has(absent)
    assert not store.has_tree(absent)


def test_one_flipped_byte_is_refused_and_nothing_is_exported(store: FileStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"weights")
    _alter(store.path_of(digest))
    with pytest.raises(IntegrityError, match="altered"):
        store.get_bytes(digest)
    with pytest.raises(IntegrityError, match="altered"):
        store.export_file(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_altered_missing_and_added_files_of_a_tree_are_refused(store: FileStore, tree: Path) -> None:
    digest = store.put_tree(tree)
    path = store.tree_path(digest)
    _alter(path / "sub" / "b")
    with pytest.raises(IntegrityError, match="altered"):
        store.open_tree(digest)
    _alter(path / "sub" / "b")
    assert store.open_tree(digest) == path
    (path / "c").write_bytes(b"")
    with pytest.raises(IntegrityError):
        store.open_tree(digest)
    (path / "c").unlink()
    (path / "a").unlink()
    with pytest.raises(IntegrityError):
        store.open_tree(digest)


def test_check_files_names_the_file(tree: Path) -> None:
    files = {"a": digest_bytes(b"one"), "sub/b": digest_bytes(b"two")}
    check_files(tree, files)
    with pytest.raises(IntegrityError, match=r"^a: altered"):
        check_files(tree, {**files, "a": digest_bytes(b"other")})
    with pytest.raises(IntegrityError, match=r"^c: missing"):
        check_files(tree, {**files, "c": digest_bytes(b"")})
    with pytest.raises(IntegrityError, match=r"^sub/b: not expected"):
        check_files(tree, {"a": files["a"]})


def test_same_bytes_twice_are_one_object_by_any_way_in(store: FileStore, tree: Path) -> None:
    assert store.put_bytes(b"one") == store.put_file(tree / "a") == digest_bytes(b"one")
    assert list(store.digests()) == [digest_bytes(b"one")]
    assert store.put_tree(tree) == store.put_tree(tree) == digest_tree(tree)


def test_exported_bytes_are_the_stored_bytes(store: FileStore, tmp_path: Path) -> None:
    digest = store.put_bytes(b"x" * 3_000_000)
    store.export_file(digest, tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out").read_bytes() == store.get_bytes(digest)


def _visible(store: FileStore) -> list[Path]:
    return [p for p in store.root.rglob("*") if p.is_file() and not any(".part" in n for n in p.parts)]


def test_full_disk_is_unavailable_and_leaves_nothing(store: FileStore, tree: Path, tmp_path: Path) -> None:
    small = store.put_bytes(b"small")
    big = tmp_path / "big"
    big.write_bytes(b"x" * 50_000)
    stored = store.put_file(big)
    (tree / "big").write_bytes(b"y" * 50_000)
    before = sorted(_visible(store))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        for put in (
            lambda: store.put_bytes(b"z" * 50_000),
            lambda: store.put_file(tree / "big"),
            lambda: store.put_tree(tree),
            lambda: store.export_file(stored, tmp_path / "out"),
        ):
            with pytest.raises(Unavailable):
                put()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "out").exists()
    assert sorted(_visible(store)) == before
    assert [p for p in store.root.rglob("*") if ".part" in p.name] == []
    assert store.get_bytes(small) == b"small"


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_small_tmpfs_fills_up_and_heals(tmp_path: Path) -> None:
    mount = tmp_path / "small"
    mount.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no tmpfs here: {done.stderr.decode()}")
    try:
        store = FileStore(mount / "store")
        with pytest.raises(Unavailable, match="disk full"):
            store.put_bytes(b"x" * 200_000)
        assert list(store.digests()) == []
        assert store.get_bytes(store.put_bytes(b"fits")) == b"fits"
    finally:
        subprocess.run(["umount", str(mount)], check=True)


_WRITER = """
import sys
from pathlib import Path
from infra.store import FileStore
store = FileStore(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(1_000_000):
    store.put_bytes(str(number).encode() * 20_000)
    tree = Path(sys.argv[2]) / str(number)
    tree.mkdir()
    (tree / "a").write_bytes(str(number).encode() * 20_000)
    store.put_tree(tree)
"""


def test_sigkill_in_the_middle_of_writing_leaves_only_whole_objects(tmp_path: Path) -> None:
    root, scratch = tmp_path / "store", tmp_path / "scratch"
    scratch.mkdir()
    for round_ in range(3):
        work = scratch / str(round_)
        work.mkdir()
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(root), str(work)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.05 + 0.07 * round_)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    store = FileStore(root)
    digests = list(store.digests())
    assert digests
    for digest in digests:
        assert digest_bytes(store.get_bytes(digest)) == digest
    for tree in store.trees.iterdir():
        if not tree.name.endswith(".part"):
            store.open_tree("sha256:" + tree.name)
