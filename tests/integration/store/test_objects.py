"""Objects through a network that fails: whole and right, or a clear error and nothing visible."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.config.store import S3Settings
from infra.digest import digest_bytes, digest_file
from infra.errors import ConfigError, IntegrityError, Unavailable
from infra.store.s3 import S3Store, open_bucket
from tests.integration.store.conftest import Open
from tests.integration.store.faults import Fault, Proxy, answer, cut, drop_header, flip, lose_reply, shorten

MIB = 1 << 20
LARGE = b"".join(number.to_bytes(4, "big") for number in range(3 * MIB))  # 12 MiB: three parts
Keys = Callable[[], list[str]]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    monkeypatch.setattr("infra.store.s3.download._FIRST_PAUSE_S", 0.01)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large"
    file.write_bytes(LARGE)
    return file


def stored(store: S3Store, file: Path) -> str:
    digest = store.put_file(file)
    assert digest == digest_file(file)
    return digest


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_a_storm_that_does_not_end_is_unavailable_and_leaves_nothing(
    store: S3Store, proxy: Proxy, keys: Keys, large: Path, status: int, code: str
) -> None:
    proxy.faults.append(Fault("PUT", "", answer(status, code), times=1000))
    with pytest.raises(Unavailable, match=f"answered {status} {code}"):
        store.put_bytes(b"small")
    assert proxy.count("PUT") == 3
    with pytest.raises(Unavailable, match=f"answered {status} {code}"):
        store.put_file(large)
    assert keys() == []


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_a_storm_that_ends_is_waited_for(
    store: S3Store, proxy: Proxy, large: Path, status: int, code: str
) -> None:
    for method in ("HEAD", "PUT", "GET"):
        proxy.faults.append(Fault(method, "", answer(status, code), times=2))
    assert store.get_bytes(store.put_bytes(b"small")) == b"small"
    for method in ("HEAD", "PUT", "POST", "GET"):
        proxy.faults.append(Fault(method, "", answer(status, code), times=2))
    assert store.get_bytes(stored(store, large)) == LARGE


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "partNumber=2"), ("POST", "uploads"), ("POST", r"uploadId="), ("PUT", "objects")],
)
def test_a_lost_reply_of_any_request_is_no_error(
    store: S3Store, proxy: Proxy, large: Path, method: str, path: str
) -> None:
    proxy.faults.append(Fault(method, path, lose_reply))
    assert store.get_bytes(stored(store, large)) == LARGE
    assert proxy.faults[0].times == 0


def test_a_lost_reply_to_the_last_request_where_the_upload_is_then_unknown(
    store: S3Store, proxy: Proxy, large: Path
) -> None:
    proxy.faults += [
        Fault("POST", "uploadId=", lose_reply),
        Fault("POST", "uploadId=", answer(404, "NoSuchUpload")),
    ]
    assert store.get_bytes(stored(store, large)) == LARGE


def test_an_upload_that_cannot_go_on_keeps_its_parts_for_the_next(
    store: S3Store, proxy: Proxy, keys: Keys, uploads: Callable[[], int], large: Path
) -> None:
    proxy.faults.append(Fault("PUT", "partNumber=3", answer(503, "SlowDown"), times=3))
    with pytest.raises(Unavailable, match="503 SlowDown"):
        store.put_file(large)
    assert (keys(), uploads()) == ([], 1)
    before = proxy.count("PUT")
    assert store.get_bytes(stored(store, large)) == LARGE
    assert proxy.count("PUT") == before + 1  # the third part alone
    assert uploads() == 0
    assert list((store.cache.root / "uploads").iterdir()) == []


def test_a_part_that_is_another_is_sent_again(
    store: S3Store, proxy: Proxy, client: Any, bucket: str, large: Path
) -> None:
    proxy.faults.append(Fault("PUT", "partNumber=3", answer(503, "SlowDown"), times=3))
    with pytest.raises(Unavailable):
        store.put_file(large)
    (upload,) = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    client.upload_part(
        Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"], PartNumber=1, Body=b"x" * 5 * MIB
    )
    assert store.get_bytes(stored(store, large)) == LARGE


def test_an_upload_that_was_dropped_meanwhile_begins_anew(
    store: S3Store, proxy: Proxy, client: Any, bucket: str, large: Path
) -> None:
    proxy.faults.append(Fault("PUT", "partNumber=3", answer(503, "SlowDown"), times=3))
    with pytest.raises(Unavailable):
        store.put_file(large)
    (upload,) = client.list_multipart_uploads(Bucket=bucket)["Uploads"]
    client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    assert store.get_bytes(stored(store, large)) == LARGE


def test_a_refused_upload_is_dropped(
    store: S3Store, proxy: Proxy, keys: Keys, uploads: Callable[[], int], large: Path
) -> None:
    proxy.faults.append(Fault("PUT", "partNumber=2", answer(403, "AccessDenied")))
    with pytest.raises(ConfigError, match="403 AccessDenied") as caught:
        store.put_file(large)
    assert "s3:PutObject" in caught.value.hint
    assert (keys(), uploads()) == ([], 0)


def test_a_file_that_changes_while_it_is_sent_is_refused(
    store: S3Store, keys: Keys, uploads: Callable[[], int], large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changing(path: Path) -> str:
        digest = digest_file(path)
        path.write_bytes(path.read_bytes()[:-1] + b"x")
        return digest

    monkeypatch.setattr("infra.store.s3.store.digest_file", changing)
    with pytest.raises(IntegrityError, match="changed while it was stored"):
        store.put_file(large)
    large.write_bytes(b"small")
    with pytest.raises(IntegrityError, match="changed while it was stored"):
        store.put_file(large)
    assert (keys(), uploads()) == ([], 0)


def test_other_bytes_under_the_digest_are_named_and_not_overwritten(
    store: S3Store, client: Any, bucket: str, large: Path
) -> None:
    for data in (b"small", LARGE):
        key = store.bucket.object_key(digest_bytes(data))
        client.put_object(Bucket=bucket, Key=key, Body=b"another")
        large.write_bytes(data)
        with pytest.raises(IntegrityError, match="altered in the store: got 7 bytes"):
            store.put_file(large)
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read() == b"another"


def test_bytes_of_the_same_size_are_told_by_the_checksum(store: S3Store, client: Any, bucket: str) -> None:
    key = store.bucket.object_key(digest_bytes(b"small"))
    client.put_object(Bucket=bucket, Key=key, Body=b"other", ChecksumAlgorithm="SHA256")
    with pytest.raises(IntegrityError, match="got SHA-256"):
        store.put_bytes(b"small")


def test_what_is_there_is_not_sent_again(store: S3Store, proxy: Proxy, large: Path) -> None:
    for _ in range(2):
        store.put_bytes(b"small")
        stored(store, large)
    assert proxy.count("PUT") == 1 + 3
    assert proxy.count("POST") == 2


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_byte_flipped_in_the_store_is_refused(
    store: S3Store, client: Any, bucket: str, tmp_path: Path, large: Path
) -> None:
    for data in (b"small", LARGE):
        digest = digest_bytes(data)
        wrong = bytes([data[0] ^ 1]) + data[1:]
        client.put_object(Bucket=bucket, Key=store.bucket.object_key(digest), Body=wrong)
        with pytest.raises(IntegrityError, match="altered in the store"):
            store.get_bytes(digest)
        with pytest.raises(IntegrityError, match="altered in the store"):
            store.export_file(digest, tmp_path / "out")
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("act", [flip, shorten(by=3)])
def test_wrong_bytes_without_a_checksum_heal_when_the_next_are_right(
    store: S3Store, proxy: Proxy, large: Path, tmp_path: Path, act: Any
) -> None:
    digest = stored(store, large)
    proxy.faults.append(Fault("GET", "objects", act))
    assert store.get_bytes(digest) == LARGE
    proxy.faults.append(Fault("GET", "objects", act))
    store.export_file(digest, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == LARGE


@pytest.mark.parametrize("act", [flip, shorten(by=3)])
def test_wrong_bytes_without_a_checksum_are_never_handed_out(
    store: S3Store, proxy: Proxy, large: Path, tmp_path: Path, act: Any
) -> None:
    digest = stored(store, large)
    proxy.faults.append(Fault("GET", "objects", act, times=1000))
    with pytest.raises(IntegrityError, match="altered in the store"):
        store.get_bytes(digest)
    with pytest.raises(IntegrityError, match="altered in the store"):
        store.export_file(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert proxy.count("GET") == 4


def test_a_stream_that_is_always_cut_is_unavailable_in_the_end(
    store: S3Store, proxy: Proxy, large: Path, tmp_path: Path
) -> None:
    digest = stored(store, large)
    proxy.faults.append(Fault("GET", "objects", cut(after=100), times=1000))
    with pytest.raises(Unavailable, match="3 answers were cut off"):
        store.get_bytes(digest)
    with pytest.raises(Unavailable, match="3 answers were cut off"):
        store.export_file(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_cut_stream_goes_on_behind_what_has_come(
    store: S3Store, proxy: Proxy, large: Path, tmp_path: Path
) -> None:
    digest = stored(store, large)
    for read in (store.get_bytes, lambda d: _export(store, d, tmp_path / "out")):
        before = len(proxy.seen)
        proxy.faults.append(Fault("GET", "objects", cut(after=7 * MIB), times=1))
        proxy.faults.append(Fault("GET", "objects", cut(after=2 * MIB), times=1))
        assert read(digest) == LARGE
        assert len(proxy.seen) == before + 3


def _export(store: S3Store, digest: str, target: Path) -> bytes:
    store.export_file(digest, target)
    return target.read_bytes()


def test_a_service_that_ignores_ranges_is_read_past_what_has_come(
    store: S3Store, proxy: Proxy, large: Path
) -> None:
    digest = stored(store, large)
    proxy.faults += [
        Fault("GET", "objects", cut(after=7 * MIB)),
        Fault("GET", "objects", drop_header("Range")),
    ]
    assert store.get_bytes(digest) == LARGE


@pytest.mark.parametrize("left", [b"", LARGE[: 5 * MIB], LARGE, LARGE + b"more", b"wrong" * MIB])
def test_whatever_an_earlier_download_left_only_right_bytes_come_out(
    store: S3Store, large: Path, tmp_path: Path, left: bytes
) -> None:
    digest = stored(store, large)
    digits = digest.removeprefix("sha256:")
    work = store.cache.root / "fetch" / digits
    work.mkdir(parents=True)
    (work / f"{digits}.part").write_bytes(left)
    assert _export(store, digest, tmp_path / "out") == LARGE
    assert not work.exists()


@pytest.mark.parametrize("method", ["HEAD", "PUT", "GET"])
def test_a_service_that_says_nothing_is_given_up(open_s3: Open, proxy: Proxy, method: str) -> None:
    store = open_s3(read_timeout_s=0.5, tries=2)
    digest = store.put_bytes(b"small")
    proxy.faults.append(Fault(method, "", lambda handler, _body: handler.wait(), times=2))
    with pytest.raises(Unavailable, match="no whole answer"):
        (store.get_bytes(digest) if method == "GET" else store.put_bytes(b"other"))


def test_absent_objects_and_buckets_are_told_apart(store: S3Store, proxy: Proxy, tmp_path: Path) -> None:
    absent = digest_bytes(b"never stored")
    assert not store.has(absent)
    with pytest.raises(IntegrityError, match="no object assay/objects/"):
        store.get_bytes(absent)
    elsewhere = S3Store(
        open_bucket("s3://no-such-bucket", S3Settings(endpoint=proxy.url)), tmp_path / "other"
    )
    with pytest.raises(ConfigError, match="404 NoSuchBucket"):
        elsewhere.get_bytes(absent)
    with pytest.raises(ConfigError, match="404 NoSuchBucket"):
        elsewhere.put_bytes(b"x")


def test_without_credentials_the_variables_are_named(open_s3: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigError, match="credentials") as caught:
        open_s3().put_bytes(b"x")
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_nothing_that_listens_is_unavailable(tmp_path: Path) -> None:
    settings = S3Settings(endpoint="http://127.0.0.1:9", tries=2)
    with pytest.raises(Unavailable, match="no whole answer"):
        S3Store(open_bucket("s3://bucket", settings), tmp_path).get_bytes(digest_bytes(b"x"))


def test_encryption_is_asked_for_and_must_be_confirmed(
    open_s3: Open, proxy: Proxy, client: Any, bucket: str, keys: Keys, uploads: Callable[[], int], large: Path
) -> None:
    store = open_s3(kms_key="alias/models")
    unknown = drop_header("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")
    proxy.faults += [Fault("PUT", "objects", unknown), Fault("POST", "uploads", unknown)]
    with pytest.raises(ConfigError, match=r"does not confirm encryption under s3\.kms_key"):
        store.put_bytes(b"small")
    with pytest.raises(ConfigError, match=r"does not confirm encryption under s3\.kms_key"):
        store.put_file(large)
    assert (keys(), uploads()) == ([], 0)
    for digest in (store.put_bytes(b"small"), stored(store, large)):
        found = client.head_object(Bucket=bucket, Key=store.bucket.object_key(digest))
        assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", "alias/models")
