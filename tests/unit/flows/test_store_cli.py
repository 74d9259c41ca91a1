"""`assay store …` where the store is a directory, and what is refused before a bucket is asked."""

import json
from pathlib import Path

import pytest
import yaml

from infra.config import load_project
from infra.config.load import REPOSITORY
from tests.conftest import Configure
from tests.unit.flows.test_cli import assay


def test_a_directory_is_said(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = assay(home, "store", "check", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"store": f"directory {home / 'store'}"}


def test_a_directory_is_no_bucket(tmp_path: Path) -> None:
    done = assay(tmp_path / "home", "store", "init-bucket")
    assert done.returncode == 2
    assert "the store is a directory" in done.stderr
    assert "set `store: s3://bucket/prefix`" in done.stderr


@pytest.mark.parametrize("command", ["archive", "restore"])
def test_an_unknown_release_is_named(tmp_path: Path, command: str) -> None:
    done = assay(tmp_path / "home", "store", command, "feed")
    assert done.returncode == 1
    assert "unknown release 'feed'" in done.stderr


def test_a_bucket_of_others_is_not_cleaned(tmp_path: Path, configure: Configure) -> None:
    configure(store="s3://models/assay", s3={"endpoint": "http://127.0.0.1:9"})
    done = assay(tmp_path / "home", "store", "clean")
    assert done.returncode == 2, done.stderr
    assert "store s3://models/assay is not below" in done.stderr


def test_a_service_that_does_not_answer_is_one_clear_error(tmp_path: Path, configure: Configure) -> None:
    configure(store="s3://models/assay", s3={"endpoint": "http://127.0.0.1:9", "tries": 1})
    done = assay(
        tmp_path / "home",
        "store",
        "check",
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",
        AWS_DEFAULT_REGION="x",
    )
    assert done.returncode == 1
    assert "no whole answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_in_the_production_profile_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, configure: Configure
) -> None:
    text = (REPOSITORY / "configs" / "profiles" / "production.yaml").read_text()
    example = "\n".join(line.removeprefix("#") for line in text[text.index("#store:") :].splitlines())
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    configure(**yaml.safe_load(example))
    project = load_project(profile="production")
    assert project.store_place.uri == "s3://your-bucket/assay"
    assert project.s3.lock_mode == "compliance"
