"""What must start fast and stay small imports none of the heavy packages, not even indirectly."""

import subprocess
import sys

import pytest

HEAVY = ("prefect", "mlflow", "torch", "transformers", "pandas")
LIGHT = (
    "flows.cli.main",
    "infra.atomic",
    "infra.config",
    "infra.config.schema",
    "infra.config.secrets",
    "infra.digest",
    "infra.errors",
    "infra.gateway",
    "infra.gateway.app",
    "infra.guard",
    "infra.ledger",
    "infra.prompts",
    "infra.signing",
    "infra.store",
    "tasks.operate.monitoring",
    "tasks.operate.report",
    "tasks.operate.traffic",
    "tasks.records",
    "tasks.validate.benchmark",
    "tasks.validate.gates",
)


def _imported(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_nothing_heavy(module: str) -> None:
    assert _imported(f"import {module}") & set(HEAVY) == set()


def test_records_import_nothing_but_pydantic_of_ours_and_theirs() -> None:
    assert _imported("import tasks.records") & {"infra", "sqlalchemy", "numpy", "pyarrow", "yaml"} == set()


@pytest.mark.parametrize(
    "module",
    [
        "flows.cli.main",
        "infra.signing",
        *(f"infra.signing.{name}" for name in ("signer", "keyless", "pkcs11")),
    ],
)
def test_signers_bring_their_libraries_when_they_sign(module: str) -> None:
    libraries = {"sigstore", "model_signing", "asn1crypto", "requests", "jwt", "PyKCS11"}
    assert _imported(f"import {module}") & libraries == set()


def test_the_check_can_fail() -> None:
    assert "pandas" in _imported("import pandas")
