"""A bucket of moto's server, reached through a proxy that can do everything wrong."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from infra.config.store import S3Settings
from infra.store.s3 import S3Store, open_bucket
from tests.aws import serving, sign_in
from tests.integration.store.faults import Proxy

Open = Callable[..., S3Store]


@pytest.fixture(scope="package")
def service() -> Iterator[tuple[str, int]]:
    with serving() as address:
        yield address


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sign_in(monkeypatch, tmp_path)


@pytest.fixture
def proxy(service: tuple[str, int]) -> Iterator[Proxy]:
    with Proxy(service) as proxy:
        yield proxy
        proxy.shutdown()


@pytest.fixture
def client(service: tuple[str, int], credentials: None) -> Any:
    """The service itself, past the proxy."""
    host, port = service
    path_style = Config(s3={"addressing_style": "path"})
    return boto3.client("s3", endpoint_url=f"http://{host}:{port}", config=path_style)


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"b{uuid4().hex}"
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def open_s3(proxy: Proxy, bucket: str, tmp_path: Path) -> Open:
    """A store below `s3://<bucket>/assay`, by default with a cache of its own."""

    def open_(cache: str = "cache", **settings: Any) -> S3Store:
        values = {"endpoint": proxy.url, "part_mib": 5, "tries": 3, **settings}
        found = open_bucket(f"s3://{bucket}/assay", S3Settings.model_validate(values))
        return S3Store(found, tmp_path / cache)

    return open_


@pytest.fixture
def store(open_s3: Open) -> S3Store:
    return open_s3()


@pytest.fixture
def keys(client: Any, bucket: str) -> Callable[[], list[str]]:
    """What is visible in the bucket."""
    return lambda: [each["Key"] for each in client.list_objects_v2(Bucket=bucket).get("Contents", ())]


@pytest.fixture
def uploads(client: Any, bucket: str) -> Callable[[], int]:
    """How many uploads are not finished."""
    return lambda: len(client.list_multipart_uploads(Bucket=bucket).get("Uploads", ()))
