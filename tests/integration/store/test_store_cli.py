"""`assay store …`, `assay doctor` and a bucket, as a person uses them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Configure
from tests.integration.store.faults import Fault, Proxy, drop_header
from tests.unit.flows.test_cli import assay


@pytest.fixture
def home(configure: Configure, proxy: Proxy, bucket: str, tmp_path: Path) -> Path:
    settings = {"endpoint": proxy.url, "lock_mode": "governance"}
    configure(store=f"s3://{bucket}/assay", s3=settings)
    return tmp_path / "home"


def test_a_bucket_that_overwrites_is_refused_everywhere(home: Path, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "", drop_header("If-None-Match"), times=1000))
    check = assay(home, "store", "check")
    assert check.returncode == 2
    assert "it overwrites in spite of If-None-Match" in check.stderr
    doctor = assay(home, "doctor")
    assert doctor.returncode == 1
    assert "BAD store" in doctor.stdout
    up = assay(home, "up")
    assert up.returncode == 2
    assert "it overwrites in spite of If-None-Match" in up.stderr


def test_a_bucket_is_made_ready_and_checked(home: Path, client: Any, bucket: str) -> None:
    done = assay(home, "store", "init-bucket", "--json")
    assert done.returncode == 0, done.stderr
    assert "conditional writes: a second writer is refused with 412" in json.loads(done.stdout)["lines"]
    assert client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    check = assay(home, "store", "check")
    assert check.returncode == 0, check.stderr
    assert f"s3://{bucket}/assay" in check.stdout
