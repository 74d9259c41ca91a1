"""Settings of a bucket: what is refused before anything is sent."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.config import load_project
from infra.config.store import S3Settings, StorePlace
from infra.errors import ConfigError
from tests.conftest import Configure


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"endpoint": "http://minio.example.org:9000"}, "expected https://"),
        ({"endpoint": "http://10.0.0.7:9000"}, "expected https://"),
        ({"endpoint": "minio.example.org"}, "should match pattern"),
        ({"endpoint": "https://minio.example.org/path"}, "should match pattern"),
        ({"ca_file": "ca.pem"}, "expected an absolute path"),
        ({"lock_days": 30}, "only used with s3.lock_mode"),
        ({"lock_mode": "legal"}, "'governance' or 'compliance'"),
        ({"lock_mode": "compliance", "lock_days": 0}, "greater than"),
        ({"part_mib": 4}, "greater than"),
        ({"tries": 0}, "greater than"),
        ({"kms_key": ""}, "at least 1 character"),
        ({"secret_key": "x"}, "not permitted"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        S3Settings.model_validate(settings)


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:9000", "http://localhost:9000", "https://minio.local"]
)
def test_in_the_clear_only_within_this_machine(endpoint: str) -> None:
    assert S3Settings(endpoint=endpoint).endpoint == endpoint


def test_the_place_carries_everything_that_a_worker_needs(
    configure: Configure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    configure(store="s3://models/assay", s3={"region": "eu-central-1"})
    place = load_project().store_place
    assert place == StorePlace(
        "s3://models/assay", tmp_path / "home" / "cache", S3Settings(region="eu-central-1")
    )
    assert hash(place)  # workers keep a loaded model by it


def test_a_wrong_key_names_file_and_line(configure: Configure, tmp_path: Path) -> None:
    configure(s3={"endpont": "https://minio.local"})
    with pytest.raises(ConfigError, match=r"unknown key 's3\.endpont'") as caught:
        load_project()
    assert "endpoint" in caught.value.hint
