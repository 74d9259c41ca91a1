"""kill -9 in the middle: nothing visible is wrong, and the next attempt goes on from there."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.digest import digest_file, digest_tree
from infra.errors import IntegrityError
from tests.integration.store.conftest import Open
from tests.integration.store.faults import Fault, Handler, Proxy

MIB = 1 << 20

_CHILD = """
import sys
from pathlib import Path
from infra.config.store import S3Settings
from infra.store.s3 import S3Store, open_bucket

uri, endpoint, cache, verb, argument = sys.argv[1:]
settings = S3Settings(endpoint=endpoint, part_mib=5, parallel=1)
store = S3Store(open_bucket(uri, settings), Path(cache))
getattr(store, verb)(Path(argument) if verb.startswith("put") else argument)
"""


def hang(handler: Handler, _body: bytes) -> None:
    """The service takes its time, until the client is dead."""
    handler.wait()


def killed_when_it_hangs(proxy: Proxy, *arguments: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], env=dict(os.environ))
    try:
        assert proxy.hung.wait(60)
        time.sleep(0.1)
    finally:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large"
    file.write_bytes(os.urandom(22 * MIB))  # five parts
    return file


def test_a_killed_upload_leaves_nothing_visible_and_is_gone_on_with(
    open_s3: Open,
    proxy: Proxy,
    bucket: str,
    keys: Callable[[], list[str]],
    uploads: Callable[[], int],
    large: Path,
    tmp_path: Path,
) -> None:
    proxy.faults.append(Fault("PUT", "partNumber=4", hang))
    killed_when_it_hangs(
        proxy, f"s3://{bucket}/assay", proxy.url, str(tmp_path / "cache"), "put_file", str(large)
    )
    store = open_s3()
    assert (keys(), uploads()) == ([], 1)
    assert not store.has(digest_file(large))
    before = proxy.count("PUT")
    digest = store.put_file(large)
    assert proxy.count("PUT") == before + 2  # the fourth part and the fifth
    assert uploads() == 0
    assert store.get_bytes(digest) == large.read_bytes()


def test_a_killed_upload_does_not_hinder_another_machine(
    open_s3: Open, proxy: Proxy, bucket: str, keys: Callable[[], list[str]], large: Path, tmp_path: Path
) -> None:
    proxy.faults.append(Fault("PUT", "partNumber=2", hang))
    killed_when_it_hangs(
        proxy, f"s3://{bucket}/assay", proxy.url, str(tmp_path / "cache"), "put_file", str(large)
    )
    elsewhere = open_s3("elsewhere")
    digest = elsewhere.put_file(large)
    assert keys() == [elsewhere.bucket.object_key(digest)]
    assert elsewhere.get_bytes(digest) == large.read_bytes()


def test_a_killed_upload_of_a_tree_is_no_tree(
    open_s3: Open, proxy: Proxy, bucket: str, large: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a").write_bytes(b"one")
    large.rename(tree / "weights")
    proxy.faults.append(Fault("PUT", "partNumber=3", hang))
    killed_when_it_hangs(
        proxy, f"s3://{bucket}/assay", proxy.url, str(tmp_path / "cache"), "put_tree", str(tree)
    )
    other, digest = open_s3("other"), digest_tree(tree)
    with pytest.raises(IntegrityError, match="no tree"):
        other.open_tree(digest)
    assert open_s3().put_tree(tree) == digest
    assert digest_tree(other.open_tree(digest)) == digest


def test_a_killed_download_shows_nothing_and_is_gone_on_with(
    open_s3: Open, proxy: Proxy, bucket: str, large: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    large.rename(tree / "weights")
    digest = open_s3().put_tree(tree)

    def stall(handler: Handler, body: bytes) -> None:
        found = handler.forward(body)
        handler.send_response_only(found.status)
        handler.send_header("Content-Length", str(len(found.body)))
        handler.end_headers()
        handler.wfile.write(found.body[: 12 * MIB + 5])
        handler.wfile.flush()
        time.sleep(0.5)  # for the client to take it up
        handler.wait()

    proxy.faults.append(Fault("GET", "objects", stall))
    cache = str(tmp_path / "other")
    killed_when_it_hangs(proxy, f"s3://{bucket}/assay", proxy.url, cache, "open_tree", digest)
    other = open_s3("other")
    assert list(other.cache.trees.iterdir()) == []
    (partial,) = (other.cache.root / "fetch").rglob("*.part")
    assert 0 < partial.stat().st_size <= 12 * MIB + 5
    assert digest_tree(other.open_tree(digest)) == digest
    assert list((other.cache.root / "fetch").iterdir()) == []
