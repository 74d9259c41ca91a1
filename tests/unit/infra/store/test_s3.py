"""The store on S3 without a service: names, sizes, what a service's claims are worth, lazy imports."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.config.store import S3Settings, StorePlace
from infra.digest import digest_bytes, digest_manifest
from infra.errors import ConfigError, IntegrityError
from infra.store import open_store
from infra.store.s3 import S3Store, open_bucket
from infra.store.s3.bucket import checksum, whole_checksum
from infra.store.s3.trees import dump_tree, load_tree
from infra.store.s3.unfinished import Sent
from infra.store.s3.upload import part_bytes

MIB = 1 << 20
SOME = digest_bytes(b"some")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://",
        "s3://b",
        "s3:///prefix",
        "s3://Bucket/prefix",
        "s3://bucket//prefix",
        "s3://bucket/../other",
        "s3://bucket/a/./b",
        "s3://bucket/a b",
        "s3://bucket/a?versionId=1",
        "s3://key:secret@bucket/a",
        "s3://bucket/a%2e%2e",
        "s3://bucket/a\n",
    ],
)
def test_uris_that_are_refused(uri: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected s3://bucket/prefix"):
        open_store(StorePlace(uri, cache=tmp_path))


def test_a_bucket_needs_a_place_for_trees() -> None:
    with pytest.raises(ConfigError, match="store: got"):
        open_store(StorePlace("s3://bucket/prefix"))


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [("s3://models", ""), ("s3://models/", ""), ("s3://models/a", "a/"), ("s3://models/a/b=1/", "a/b=1/")],
)
def test_keys_lie_below_the_prefix(uri: str, prefix: str) -> None:
    bucket = open_bucket(uri, S3Settings())
    digits = SOME.removeprefix("sha256:")
    assert bucket.object_key(SOME) == f"{prefix}objects/{digits[:2]}/{digits[2:]}"
    assert bucket.tree_key(SOME) == f"{prefix}trees/{digits[:2]}/{digits[2:]}"
    with pytest.raises(IntegrityError, match="not a digest"):
        bucket.object_key("sha256:../../x")


def test_opening_asks_nobody(tmp_path: Path) -> None:
    store = open_store(StorePlace("s3://models/assay", tmp_path, S3Settings(endpoint="http://127.0.0.1:9")))
    assert isinstance(store, S3Store)


def test_boto3_is_imported_when_it_is_used() -> None:
    code = "import infra.store.s3, infra.s3, sys; print('boto3' in sys.modules or 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize(
    ("size", "part_mib", "expected"),
    [(0, 16, 16), (160_000 * MIB, 16, 16), (160_000 * MIB + 1, 16, 17), (10**13, 5, 954)],
)
def test_a_file_has_at_most_ten_thousand_parts(size: int, part_mib: int, expected: int) -> None:
    assert part_bytes(size, part_mib) == expected * MIB
    assert size <= 10_000 * part_bytes(size, part_mib)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"ChecksumSHA256": "abc=-3", "ETag": '"e"'},
        {"ChecksumSHA256": "abc=", "ETag": '"e-3"'},
        {"ChecksumSHA256": "abc=", "ETag": '"e"', "ChecksumType": "COMPOSITE"},
        {"ChecksumCRC32": "abc="},
    ],
)
def test_a_checksum_of_parts_is_not_taken_for_that_of_the_whole(answer: dict[str, Any]) -> None:
    assert whole_checksum(answer) is None


def test_a_checksum_is_the_digest_in_base64() -> None:
    assert checksum(SOME) == base64.b64encode(hashlib.sha256(b"some").digest()).decode()
    assert whole_checksum({"ChecksumSHA256": checksum(SOME), "ETag": '"e"'}) == checksum(SOME)


def test_a_part_is_ours_by_checksum_or_else_by_md5() -> None:
    own = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    md5 = hashlib.md5(b"data").hexdigest()
    assert Sent(4, '"anything"', own).holds(b"data", own)
    assert Sent(4, f'"{md5}"', None).holds(b"data", own)
    assert not Sent(5, '"anything"', own).holds(b"data", own)
    assert not Sent(4, f'"{md5}"', "other").holds(b"data", own)
    assert not Sent(4, '"anything"', None).holds(b"data", own)


def test_the_list_of_a_tree_has_the_digest_of_the_tree() -> None:
    files = {"b": SOME, "sub/a": SOME}
    assert digest_bytes(dump_tree(files)) == digest_manifest(files)
    assert load_tree(dump_tree(files), "tree") == files


@pytest.mark.parametrize(
    "name",
    ["", "/", "/a", "a/", "..", "a/..", "./a", "a//b", ".git", ".gitignore", "a\\b", "a\nb", "e\u0301"],
)
def test_names_that_could_leave_a_tree_are_refused(name: str) -> None:
    with pytest.raises(IntegrityError, match="is not the name of a file in it"):
        load_tree(dump_tree({name: SOME}), "tree")
