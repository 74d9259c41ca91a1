"""The whole attestation, with the real libraries and the packages that are installed here."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.config.environment import EnvironmentSettings
from infra.config.load import REPOSITORY
from infra.digest import digest_tree
from infra.errors import TrainingError
from tasks.finetune.environment import attest_environment
from tasks.finetune.environment.packages import installed
from tests.unit.tasks.deploy.samples import safetensors
from tests.unit.tasks.finetune.provenance.samples import make_project

NOW = datetime(2026, 11, 1, 2, tzinfo=UTC)
SECRET = "ghp_" + "a1B2" * 9


def test_what_is_attested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name not in ("PATH", "HOME", "LANG", "TMPDIR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}")
    (base / "model.safetensors").write_bytes(safetensors([1.0]))
    settings = EnvironmentSettings(allowed_secrets=("GITHUB_*",))
    project = make_project(root=REPOSITORY / "configs", environment=settings)
    lock = tmp_path / "requirements.lock"
    lock.write_text("numpy==0.0.1 \\\n    --hash=sha256:00\n")
    with pytest.raises(TrainingError, match=r"numpy: got .*, locked is 0\.0\.1"):
        attest_environment(project, base=digest_tree(base), base_dir=base, run="", now=NOW, code=tmp_path)
    lock.write_text(f"numpy=={installed()['numpy']} ; python_version >= '3'\nabsent-one==1.0\n")
    found = attest_environment(project, base=digest_tree(base), base_dir=base, run="", now=NOW, code=tmp_path)
    assert (found.locked, found.absent, found.base_files) == (1, 1, 2)
    assert (found.commit, found.dirty) == ("unknown", None)
    assert found.secrets == ("GITHUB_TOKEN",)
    assert "huggingface_hub" in found.offline
    assert found.time == "2026-11-01T02:00:00+00:00"
    assert SECRET not in found.model_dump_json()
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_a_library_that_was_told_too_late_is_refused() -> None:
    """In its own process: imports cannot be undone."""
    script = (
        "import os, sys\n"
        "for name in ('HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'): os.environ.pop(name, None)\n"
        "import types; config = types.ModuleType('datasets.config'); config.HF_HUB_OFFLINE = False\n"
        "sys.modules['datasets.config'] = config\n"
        "from tasks.finetune.environment.offline import refuse_hub\n"
        "from infra.errors import TrainingError\n"
        "try:\n    refuse_hub()\nexcept TrainingError as error:\n    print(error.message)\n"
        "config.HF_HUB_OFFLINE = True\nprint(refuse_hub())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=REPOSITORY, check=True
    )
    assert done.stdout.splitlines() == [
        "datasets is not offline: it was imported before it was told to stay offline",
        "('huggingface_hub', 'datasets')",
    ]
