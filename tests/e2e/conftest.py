"""One real installation for all end-to-end tests: real services, the real model, the small project."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROJECT = "weakness"
_KEPT = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR", "OMP_WAIT_POLICY", "PYTHONPATH"}


@dataclass(frozen=True)
class Installation:
    """An ASSAY_HOME with running services."""

    home: Path
    configs: Path

    def environment(self) -> dict[str, str]:
        # Nothing else: profiles other than the embedded one refuse to train beside secrets of other programs.
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        return {
            **kept,
            "ASSAY_HOME": str(self.home),
            "ASSAY_CONFIGS": str(self.configs),
            "ASSAY_PROJECT": PROJECT,
            "ASSAY_TRAINING__CHECKPOINT_EVERY": "2",
            "ASSAY_BASE__SCORED_ROWS": "11",
            "ASSAY_BASE__TIMED_TEXTS": "2",
        }

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "flows.cli", *arguments],
            env={**self.environment(), **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def assay(self, *arguments: str, expect: int = 0, **more: str) -> str:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=500)
        assert process.returncode == expect, f"exit {process.returncode}\n{out}\n{err[-4000:]}"
        return out + (err if expect else "")

    def json(self, *arguments: str, **more: str) -> Any:
        return json.loads(self.assay(*arguments, "--json", **more))

    def champion(self) -> str:
        live = [r["release"] for r in self.json("release", "list") if r["state"] == "champion"]
        assert len(live) == 1, live
        return str(live[0])


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    root = Path(tempfile.mkdtemp(prefix="assay-e2e-"))
    configs = root / "configs"
    shutil.copytree(Path(__file__).resolve().parents[2] / "configs", configs)
    made = Installation(root / "home", configs)
    try:
        made.assay("up")
        yield made
    finally:
        made.assay("down")
        shutil.rmtree(root, ignore_errors=True)
