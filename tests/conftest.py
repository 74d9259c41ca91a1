"""Settings for all tests: offline, property tests without a deadline, the same examples in every run."""

import os
import shutil
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from hypothesis import settings

from infra.config.environment import force_offline
from infra.config.load import REPOSITORY
from infra.config.source import read_yaml

# Libraries read these when they are imported, and any test may be the first to import them.
for name in force_offline({}):
    os.environ[name] = "1"

# The first example of a test pays for imports, and the machines of others may be busy.
settings.register_profile("assay", deadline=None, derandomize=True, database=None)
settings.load_profile("assay")

pytest_plugins = ["tests.private_sigstore"]


class Configure(Protocol):
    """Replaces sections of the default project; returns the directory to be named by ASSAY_CONFIGS."""

    def __call__(self, **settings: Any) -> Path: ...


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    """A configuration directory of the test's own, in force: for settings that no variable may set."""
    root = tmp_path / "configs"
    shutil.copytree(REPOSITORY / "configs", root)
    monkeypatch.setenv("ASSAY_CONFIGS", str(root))

    def lay(**settings: Any) -> Path:
        file = root / "project.yaml"
        file.write_text(yaml.safe_dump(read_yaml(file).values | settings))
        return root

    return lay
