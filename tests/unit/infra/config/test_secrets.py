"""Secret references: refused when absent, empty or readable by others; values are never repeated."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.config.secrets import redact, resolve, resolved_values
from infra.errors import ConfigError


@pytest.mark.parametrize(
    "pasted", ["hunter2-secret", "https://hooks.example/secret", "ENV:secret", "vault:secret"]
)
def test_a_pasted_value_is_refused_without_repeating_it(pasted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(pasted, {})
    assert "secret reference" in caught.value.message
    assert pasted.rpartition(":")[2] not in caught.value.diagnostics().replace("secret", "") or ":" in pasted
    assert pasted not in caught.value.diagnostics()


@pytest.mark.parametrize("environ", [{}, {"TOKEN": ""}, {"TOKEN": " \n"}])
def test_absent_and_empty_variables_are_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="env:TOKEN is empty or not set"):
        resolve("env:TOKEN", environ)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_files_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text("value-1")
    file.chmod(mode)
    with pytest.raises(ConfigError, match="can be read by others") as caught:
        resolve(f"file:{file}")
    assert caught.value.hint == f"chmod 600 {file}"
    assert "value-1" not in caught.value.diagnostics()


def test_absent_file_directory_and_binary_are_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigError, match="secret file"):
            resolve(f"file:{path}")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "binary").chmod(0o600)
    with pytest.raises(ConfigError, match="secret file"):
        resolve(f"file:{tmp_path / 'binary'}")


def test_resolved_values_are_remembered_for_redaction(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("value-2\n")
    file.chmod(0o600)
    assert resolve(f"file:{file}") == "value-2"
    assert resolve("env:TOKEN", {"TOKEN": " value-3 "}) == "value-3"
    assert {"value-2", "value-3"} <= resolved_values()


@given(st.text(max_size=30), st.lists(st.text(alphabet="xyz", min_size=1, max_size=6), max_size=4))
def test_no_secret_survives_redaction(text: str, secrets: list[str]) -> None:
    redacted = redact(text + "".join(secrets), secrets)
    assert not any(secret in redacted for secret in secrets)


def test_longer_secrets_first_and_empty_ones_ignored() -> None:
    assert redact("key=abc123", ["abc", "abc123", ""]) == "key=[redacted]"
