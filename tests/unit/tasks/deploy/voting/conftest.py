"""A town whose people decide for a home of its own."""

from pathlib import Path

import pytest

from tests.conftest import Configure
from tests.unit.tasks.deploy.voting.people import Town


@pytest.fixture
def town(tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("ASSAY_PROFILE", raising=False)
    return Town(tmp_path, configure())


@pytest.fixture
def ada(town: Town) -> Town:
    """Ada and Grace may decide, either of them alone."""
    town.person("ada", totp=True)
    town.person("grace", totp=True)
    return town
