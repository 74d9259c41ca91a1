"""Rows from an S3 service (moto's server), which is not trusted to verify anything."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.config.data import DataSettings
from infra.digest import digest_bytes
from infra.errors import ConfigError, DataError, Unavailable
from infra.objects import fetch_object, split_uri
from tasks.develop.datasets import open_source
from tests.aws import serving, sign_in

ROWS = "".join(json.dumps({"text": f"text {n}", "label": "ab"[n % 2]}) + "\n" for n in range(4)).encode()


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with serving() as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sign_in(monkeypatch, tmp_path)


@pytest.fixture
def bucket(endpoint: str) -> Any:
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="rows")
    client.put_object(Bucket="rows", Key="day/rows.jsonl", Body=ROWS)
    return client


def settings(endpoint: str, **values: Any) -> DataSettings:
    found: dict[str, Any] = {"object": "s3://rows/day/rows.jsonl", "object_endpoint": endpoint, **values}
    return DataSettings.model_validate({"source": "jsonl", "licence": "MIT", **found})


def test_rows_of_an_object_are_read_and_its_bytes_known(endpoint: str, bucket: Any, tmp_path: Path) -> None:
    with open_source(settings(endpoint), tmp_path) as source:
        found = source.read()
    assert source.digest == found.info.bytes == digest_bytes(ROWS)
    assert found.info.source == "jsonl s3://rows/day/rows.jsonl"
    assert found.table.num_rows == 4
    assert list(tmp_path.iterdir()) == []


def test_an_object_that_is_too_large_is_refused_before_it_is_read(
    endpoint: str, bucket: Any, tmp_path: Path
) -> None:
    with (
        pytest.raises(DataError, match=f"got {len(ROWS)} bytes or more, expected at most 10"),
        open_source(settings(endpoint, max_object_bytes=10), tmp_path),
    ):
        pass


@pytest.mark.parametrize("uri", ["s3://rows/none.jsonl", "s3://no-such-bucket/rows.jsonl"])
def test_what_is_absent_is_named(endpoint: str, bucket: Any, tmp_path: Path, uri: str) -> None:
    with pytest.raises(DataError, match=f"{uri} at .*answered 404"):
        fetch_object(uri, tmp_path / "rows", max_bytes=1000, endpoint=endpoint)


def test_without_credentials_the_variables_are_named(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigError, match="credentials") as caught:
        fetch_object("s3://rows/day/rows.jsonl", tmp_path / "rows", max_bytes=1000, endpoint=endpoint)
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_a_service_that_does_not_answer_may_heal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    with pytest.raises(Unavailable, match="no whole answer"):
        fetch_object("s3://rows/rows", tmp_path / "rows", max_bytes=1000, endpoint="http://127.0.0.1:9")


@pytest.mark.parametrize("uri", ["https://rows/a", "s3://rows", "s3:///a", "rows"])
def test_what_is_no_object_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="expected s3://bucket/key"):
        split_uri(uri)
