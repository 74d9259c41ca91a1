"""The gateway and the guard start without the heavy frameworks."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "mlflow", "prefect", "pandas", "peft", "datasets")


@pytest.mark.parametrize(
    "modules",
    ["infra.guard, infra.gateway.__main__, infra.gateway.app, infra.serving.wire, infra.signing, sqlalchemy"],
)
def test_no_heavy_module_is_loaded(modules: str) -> None:
    code = f"import sys, {modules}; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
