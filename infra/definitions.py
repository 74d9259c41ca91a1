"""Whether a named piece of code exists, without importing it.

missing(root, "infra/ledger.py::Ledger::append")     # None, or what is not there
"""

import ast
from functools import lru_cache
from pathlib import Path

_Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def missing(root: Path, node: str) -> str | None:
    """What of `path::Class::function[parameters]` is not below `root`; None when all of it is there."""
    path, *names = node.partition("[")[0].split("::")
    file = root / path
    if not names:
        # A name without suffix is a module, whether it is one file or a package.
        found = file.is_file() or file.with_suffix(".py").is_file() or (file / "__init__.py").is_file()
        return None if found else f"{path} does not exist"
    if not file.is_file():
        return f"{path} does not exist"
    scope: list[ast.stmt] = list(_parsed(file, file.stat().st_mtime_ns))
    for name in names:
        inner = next((s for s in scope if isinstance(s, _Definition) and s.name == name), None)
        if inner is None:
            return f"{path} defines no {name}"
        scope = inner.body
    return None


def is_checkout(root: Path) -> bool:
    """Whether the tests that belong to this code are beside it: not so in an installed package."""
    return (root / "pyproject.toml").is_file() and (root / "tests").is_dir()


@lru_cache(maxsize=256)
def _parsed(file: Path, _changed_ns: int) -> tuple[ast.stmt, ...]:
    return tuple(ast.parse(file.read_bytes()).body)
