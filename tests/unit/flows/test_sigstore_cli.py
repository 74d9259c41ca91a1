"""`assay sigstore`: an instance for as long as a person wants it, and tokens from it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli.main import app
from infra.digest import digest_bytes
from infra.signing.dsse import statement
from infra.signing.keyless import KeylessSigner, read_trust, verify_keyless

CONTENT = statement({"thing": digest_bytes(b"thing")}, "urn:test", {"answer": 42})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path))
    return tmp_path


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["sigstore", *arguments])
    assert done.exit_code == code, done.output
    return done.output


def test_without_an_instance_there_is_no_token() -> None:
    assert "assay sigstore dev" in run("token", "ann@example.com", code=1)


def test_from_start_to_a_signature_that_outlives_it(home: Path) -> None:
    command = [sys.executable, "-m", "flows.cli", "sigstore", "dev", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(4)]
            started = json.loads("".join(lines))
            token = home / "token"
            assert run("token", "ann@example.com", "--output", str(token)).strip() == str(token)
            assert token.stat().st_mode & 0o777 == 0o600
            assert "no identity" in run("token", "ann", code=1)
            trust = Path(started["trust_config"])
            bundle = KeylessSigner(f"file:{token}", trust).sign(CONTENT)
        finally:
            os.kill(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 0
    content, signer = verify_keyless(bundle, read_trust(trust), "x")
    assert (content, signer.subject, signer.issuer) == (CONTENT, "ann@example.com", started["url"])
    assert "no private Sigstore runs" in run("token", "ann@example.com", code=1)


def test_help_says_what_it_is_not_for() -> None:
    assert "NOT FOR PRODUCTION" in run("dev", "--help")
