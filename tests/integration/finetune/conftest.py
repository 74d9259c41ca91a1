"""Tiny models in files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.finetune.tiny import write_base


@pytest.fixture(scope="session")
def make_base(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a three-layer model of a type (llama, qwen2, …) and returns its directory."""
    return lambda kind="llama", **changes: write_base(tmp_path_factory.mktemp(kind), kind, **changes)


@pytest.fixture(scope="session")
def base(make_base: Callable[..., Path]) -> Path:
    """A tiny Llama."""
    return make_base()
