"""Trees in a bucket: whole, hashed again, or absent; nothing half-brought appears."""

import threading
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes, digest_json, digest_tree
from infra.errors import IntegrityError, Unavailable
from infra.store.s3 import S3Store
from infra.store.s3.trees import dump_tree
from tests.integration.store.conftest import Open
from tests.integration.store.faults import Fault, Proxy, answer, cut, flip

WEIGHTS = bytes(range(256)) * 32768  # 8 MiB: two parts


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    monkeypatch.setattr("infra.store.s3.download._FIRST_PAUSE_S", 0.01)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "sub").mkdir(parents=True)
    (root / "a").write_bytes(b"one")
    (root / "empty").write_bytes(b"")
    (root / "sub" / "same").write_bytes(b"one")
    (root / "weights").write_bytes(WEIGHTS)
    return root


def alter(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def object_key(store: S3Store, data: bytes) -> str:
    return store.bucket.object_key(digest_bytes(data))


def test_an_absent_tree_is_named(store: S3Store) -> None:
    absent = digest_bytes(b"never stored")
    assert not store.has_tree(absent)
    assert not store.tree_path(absent).exists()
    with pytest.raises(IntegrityError, match=f"no tree {absent}"):
        store.open_tree(absent)


@pytest.mark.parametrize("digest", ["../../etc/passwd", "sha256:../../x", "sha256:" + "0" * 62 + "/a"])
def test_a_digest_cannot_leave_the_store(store: S3Store, digest: str) -> None:
    for ask in (store.open_tree, store.tree_path, store.has_tree, store.get_bytes, store.has):
        with pytest.raises(IntegrityError, match="not a digest"):
            ask(digest)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "a/../../b", "a//b", ".git/config", ""])
def test_a_name_cannot_leave_the_tree(store: S3Store, client: Any, bucket: str, name: str) -> None:
    data = dump_tree({name: store.put_bytes(b"one")})
    client.put_object(Bucket=bucket, Key=store.bucket.tree_key(digest_bytes(data)), Body=data)
    with pytest.raises(IntegrityError, match="is not the name of a file in it"):
        store.open_tree(digest_bytes(data))


@pytest.mark.parametrize("content", [[], {"a": 1}, {"a": "sha256:short"}, {"a": None}, "text"])
def test_what_is_no_list_of_files_is_refused(store: S3Store, client: Any, bucket: str, content: Any) -> None:
    import rfc8785

    digest = digest_json(content)
    client.put_object(Bucket=bucket, Key=store.bucket.tree_key(digest), Body=rfc8785.dumps(content))
    with pytest.raises(IntegrityError, match=r"not a list of files|not a digest"):
        store.open_tree(digest)


def test_a_list_that_was_altered_in_the_bucket_is_refused(
    open_s3: Open, tree: Path, client: Any, bucket: str
) -> None:
    digest = open_s3().put_tree(tree)
    other = open_s3("other")
    client.put_object(Bucket=bucket, Key=other.bucket.tree_key(digest), Body=dump_tree({}))
    with pytest.raises(IntegrityError, match="altered in the store"):
        other.open_tree(digest)
    assert not other.cache.has_tree(digest)


@pytest.mark.parametrize("how", ["altered", "absent"])
def test_one_bad_file_and_nothing_appears(
    open_s3: Open, tree: Path, client: Any, bucket: str, how: str
) -> None:
    digest, other = open_s3().put_tree(tree), open_s3("other")
    key = object_key(other, WEIGHTS)
    if how == "altered":
        client.put_object(Bucket=bucket, Key=key, Body=b"x" + WEIGHTS[1:])
    else:
        client.delete_object(Bucket=bucket, Key=key)
    for ask in (other.open_tree, other.tree_path):
        with pytest.raises(IntegrityError, match=r"altered in the store|no object"):
            ask(digest)
    assert list(other.cache.trees.iterdir()) == []


def test_a_tree_that_was_altered_on_this_machine_is_refused(store: S3Store, tree: Path) -> None:
    digest = store.put_tree(tree)
    path = store.open_tree(digest)
    alter(path / "a")
    for ask in (lambda: store.open_tree(digest), lambda: store.put_tree(tree)):
        with pytest.raises(IntegrityError, match=r"was altered: its files do not give"):
            ask()


def test_an_upload_that_breaks_off_leaves_no_tree(open_s3: Open, proxy: Proxy, tree: Path) -> None:
    store, other = open_s3(), open_s3("other")
    proxy.faults.append(Fault("PUT", "partNumber=2", answer(503, "SlowDown"), times=3))
    with pytest.raises(Unavailable, match="503 SlowDown"):
        store.put_tree(tree)
    digest = digest_tree(tree)
    assert not other.has_tree(digest)
    with pytest.raises(IntegrityError, match="no tree"):
        other.open_tree(digest)
    assert store.put_tree(tree) == digest
    assert digest_tree(other.open_tree(digest)) == digest


def test_a_tree_comes_back_as_it_was(open_s3: Open, proxy: Proxy, tree: Path) -> None:
    digest, other = open_s3().put_tree(tree), open_s3("other")
    assert digest == digest_tree(tree)
    path = other.open_tree(digest)
    assert (path / "sub" / "same").read_bytes() == b"one"
    assert path == other.cache.tree_path(digest) == other.tree_path(digest)
    assert {file.stat().st_mode & 0o777 for file in path.rglob("*") if file.is_file()} == {0o400}
    assert list((other.cache.root / "fetch").iterdir()) == []
    before = len(proxy.seen)
    assert other.open_tree(digest) == path
    assert len(proxy.seen) == before  # hashed here, not brought again


def test_a_tree_is_not_sent_twice(open_s3: Open, proxy: Proxy, tree: Path) -> None:
    open_s3().put_tree(tree)
    before = proxy.count("PUT")
    open_s3("other").put_tree(tree)
    assert proxy.count("PUT") == before


def test_what_came_before_an_error_is_not_brought_again(open_s3: Open, proxy: Proxy, tree: Path) -> None:
    digest, other = open_s3().put_tree(tree), open_s3("other")
    key = object_key(other, WEIGHTS)
    proxy.faults.append(Fault("GET", key, cut(after=5 << 20)))
    proxy.faults.append(Fault("GET", key, cut(after=0), times=2))
    with pytest.raises(Unavailable, match="answers were cut off"):
        other.open_tree(digest)
    assert list(other.cache.trees.iterdir()) == []
    (partial,) = (other.cache.root / "fetch").rglob("*.part")
    assert partial.stat().st_size == 5 << 20
    before = len(proxy.seen)
    assert digest_tree(other.open_tree(digest)) == digest
    wanted = [each for each in proxy.seen[before:] if "/objects/" in each]
    assert len(wanted) == len(set(wanted)) < 4  # the rest of this one, and what had not been asked for


def test_a_wrong_byte_on_the_way_heals(open_s3: Open, proxy: Proxy, tree: Path) -> None:
    digest, other = open_s3().put_tree(tree), open_s3("other")
    proxy.faults += [Fault("GET", "trees", flip), Fault("GET", object_key(other, WEIGHTS), flip)]
    assert digest_tree(other.open_tree(digest)) == digest


def test_two_threads_bring_a_tree_once(open_s3: Open, proxy: Proxy, tree: Path) -> None:
    digest, other = open_s3().put_tree(tree), open_s3("other")
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(other.open_tree(digest))) for _ in range(4)]
    before = proxy.count("GET")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [other.cache.tree_path(digest)] * 4
    assert proxy.count("GET") == before + 4  # the list and three different files
