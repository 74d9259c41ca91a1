"""Modules that are named as text, in the keys of steps, exist: one that was moved would stop every run."""

import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.code import code_digest

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"""["']((?:flows|tasks|infra)(?:\.[a-z_]+)+)["']""")
FILES = sorted(file for folder in ("flows", "tasks", "infra") for file in (ROOT / folder).rglob("*.py"))


def named() -> dict[str, str]:
    return {
        name: str(file.relative_to(ROOT))
        for file in FILES
        for name in NAME.findall(file.read_text(encoding="utf-8"))
    }


def exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        return find_spec(module) is not None and hasattr(import_module(module), attribute)


def test_every_module_named_as_text_exists() -> None:
    found = named()
    assert len(found) > 40
    assert {name: file for name, file in found.items() if not exists(name)} == {}


@pytest.mark.parametrize("constant", ["_READERS", "_CHECKING"])
def test_modules_that_reading_and_checking_data_depend_on_exist(constant: str) -> None:
    modules = getattr(import_module("tasks.develop.datasets.prepare"), constant)
    assert code_digest(*modules).startswith("sha256:")
