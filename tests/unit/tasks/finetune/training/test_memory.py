"""Running out of memory names the setting to change; other errors pass unchanged."""

from pathlib import Path

import pytest

from infra.errors import OutOfMemory
from tasks.finetune.training.memory import explained, limit_text
from tasks.finetune.training.settings import TrainingSettings

SETTINGS = TrainingSettings(batch_size=48, trained_layers=None)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("CUDA out of memory. Tried to allocate 9.00 GiB"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_refused_allocations(error: Exception) -> None:
    with pytest.raises(OutOfMemory, match="ran out of memory") as caught, explained(SETTINGS):
        raise error
    assert "training.batch_size (now 48)" in caught.value.hint
    assert "training.trained_layers (now all)" in caught.value.hint


@pytest.mark.parametrize("error", [RuntimeError("mat1 and mat2 shapes"), ValueError("out of memory")])
def test_other_errors(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, explained(SETTINGS):
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("content", "text"), [("max\n", ""), ("4294967296\n", " (the container's limit is 4.0 GiB)"), ("", "")]
)
def test_limit_of_the_container(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "memory.max").write_text(content)
    assert limit_text(tmp_path) == text


def test_no_cgroup(tmp_path: Path) -> None:
    assert limit_text(tmp_path) == ""
