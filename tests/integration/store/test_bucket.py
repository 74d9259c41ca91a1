"""A bucket made ready, looked at, and what Object Lock keeps."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.config.store import S3Settings
from infra.errors import ConfigError
from infra.store.s3 import S3Store, open_bucket, prepare_bucket
from tests.integration.store.conftest import Open
from tests.integration.store.faults import Fault, Proxy, answer, drop_header

NOW = datetime.now(UTC)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "a").write_bytes(b"one")
    return root


def test_a_bucket_without_object_lock_cannot_keep_releases(
    proxy: Proxy, client: Any, tree: Path, tmp_path: Path
) -> None:
    client.create_bucket(Bucket="plain")
    settings = S3Settings(endpoint=proxy.url, lock_mode="compliance")
    store = S3Store(open_bucket("s3://plain", settings), tmp_path / "cache")
    digest = store.put_tree(tree)
    with pytest.raises(ConfigError, match="lock_mode is compliance, and the bucket has no Object Lock"):
        store.retain_tree(digest, NOW)
    with pytest.raises(ConfigError, match="lock_mode is compliance, and it has no Object Lock"):
        store.describe()


def test_a_locked_tree_cannot_be_deleted(open_s3: Open, client: Any, bucket: str, tree: Path) -> None:
    store = open_s3(lock_mode="compliance", lock_days=3)
    digest = store.put_tree(tree)
    until = store.retain_tree(digest, NOW)
    assert until == (NOW + timedelta(days=3)).replace(microsecond=0)
    versions = client.list_object_versions(Bucket=bucket)["Versions"]
    assert len(versions) == 2
    for each in versions:
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])


def test_a_longer_lock_stays(open_s3: Open, client: Any, bucket: str, tree: Path, proxy: Proxy) -> None:
    long, short = open_s3(lock_mode="governance", lock_days=9), open_s3(lock_mode="governance", lock_days=1)
    digest = long.put_tree(tree)
    long.retain_tree(digest, NOW)
    before = proxy.count("PUT")
    short.retain_tree(digest, NOW)
    assert proxy.count("PUT") == before
    found = client.head_object(Bucket=bucket, Key=long.bucket.tree_key(digest))
    assert found["ObjectLockMode"] == "GOVERNANCE"
    assert found["ObjectLockRetainUntilDate"] > NOW + timedelta(days=8)


def test_without_the_setting_nothing_is_locked(store: S3Store, tree: Path, proxy: Proxy) -> None:
    digest, before = store.put_tree(tree), proxy.count("PUT")
    assert store.retain_tree(digest, NOW) is None
    assert proxy.count("PUT") == before


def test_encryption_that_is_not_confirmed_is_named(open_s3: Open, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "probe", drop_header("x-amz-server-side-encryption"), times=9))
    with pytest.raises(ConfigError, match=r"it does not confirm encryption under s3\.kms_key"):
        open_s3(kms_key="alias/models").describe()


def test_a_bucket_that_is_not_there_is_made_only_when_asked(proxy: Proxy, client: Any) -> None:
    settings = S3Settings(endpoint=proxy.url, lock_mode="governance")
    bucket = open_bucket("s3://to-be-made/models", settings)
    with pytest.raises(ConfigError, match="404 NoSuchBucket"):
        prepare_bucket(bucket, create=False)
    lines = prepare_bucket(bucket, create=True)
    assert lines == [
        "created bucket to-be-made with Object Lock",
        "unfinished uploads are dropped after 7 days",
        "conditional writes: a second writer is refused with 412",
        "encryption: as the settings ask",
        "Object Lock: the bucket has it, the settings ask for governance",
        "parts of unfinished uploads: dropped by a rule",
    ]
    assert prepare_bucket(bucket, create=True)[0] == "unfinished uploads are dropped after 7 days already"


def test_rules_of_others_stay(open_s3: Open, client: Any, bucket: str) -> None:
    other = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [other]})
    prepare_bucket(open_s3().bucket, create=False)
    prepare_bucket(open_s3(incomplete_upload_days=2).bucket, create=False)
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert [rule["ID"] for rule in rules] == ["logs", "assay-unfinished-uploads-assay"]
    assert rules[1]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}


def test_a_rule_that_cannot_be_set_is_said(open_s3: Open, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "lifecycle", answer(501, "NotImplemented"), times=9))
    lines = prepare_bucket(open_s3().bucket, create=False)
    assert lines[0].startswith("no rule for unfinished uploads could be set: ")
    assert lines[-1] == "parts of unfinished uploads: STAY: assay store init-bucket"


def test_what_it_can_do_is_said_in_a_line(store: S3Store, bucket: str) -> None:
    assert store.describe().startswith(f"s3://{bucket}/assay at http://127.0.0.1:")
    assert "writes are conditional" in store.describe()
