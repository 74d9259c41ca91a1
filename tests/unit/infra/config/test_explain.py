"""What is wrong in a file: the misspelt key before the missing one, the section's own names, short values."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from infra.config.explain import explain, nearest
from infra.config.source import read_yaml
from infra.errors import ConfigError


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: str
    size: int = 1


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    one: Inner | None = None
    many: tuple[Inner, ...] = ()


def explained(directory: Path, text: str) -> ConfigError:
    file = directory / "x.yaml"
    file.write_text(text)
    source = read_yaml(file)
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(source.values)
    return explain(raised.value, source, Outer, "x.schema.json")


@pytest.mark.parametrize(
    ("text", "line", "message", "hint"),
    [
        ("naem: a\n", 1, "unknown key 'naem'", "did you mean 'name'?"),
        ("name: a\none:\n  color: red\n", 3, "unknown key 'one.color'", "did you mean 'colour'?"),
        (
            "name: a\nmany:\n- colour: x\n- colour: y\n  seize: 2\n",
            5,
            "'many.1.seize'",
            "did you mean 'size'?",
        ),
        ("name: a\none:\n  zzz: 1\n  colour: x\n", 3, "unknown key 'one.zzz'", "known: colour, size"),
        ("name: a\none:\n  colour: x\n  size: big\n", 4, "got 'big'", "see x.schema.json for every key"),
        ("one: {colour: x}\n", 1, "name: Field required", "see x.schema.json for every key"),
    ],
)
def test_the_line_and_the_nearest_name(tmp_path: Path, text: str, line: int, message: str, hint: str) -> None:
    error = explained(tmp_path, text)
    assert error.message.startswith(f"{tmp_path}/x.yaml:{line}: ")
    assert message in error.message
    assert error.hint == hint


def test_long_values_are_cut(tmp_path: Path) -> None:
    error = explained(tmp_path, f"name: a\none:\n  colour: x\n  size: {'9x' * 500}\n")
    assert len(error.message) < len(str(tmp_path)) + 300


def test_nothing_known_nothing_said() -> None:
    assert nearest("x", []) == ""
