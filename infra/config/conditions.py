"""When a setting puts a control in force: existing is not enough, its value has to do something.

Condition(at_least=100).fails(value, project.path)     # None, or what is wrong with the value
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from pydantic import Field, JsonValue, model_validator

from infra.config.lookup import plain
from infra.config.section import Section
from infra.config.source import read_yaml
from infra.errors import ConfigError


class Condition(Section):
    """Exactly one test of a setting's value."""

    equals: JsonValue = Field(None, description="the value itself")
    one_of: tuple[str, ...] | None = Field(None, min_length=1, description="any of these texts")
    at_least: float | None = Field(None, description="a number that is not smaller")
    at_most: float | None = Field(None, description="a number that is not larger")
    not_empty: bool | None = Field(None, description="true: a list or text with something in it")
    every: str | None = Field(None, description="a list, in which every item has this key set")
    file_holds: tuple[str, ...] | None = Field(
        None, min_length=1, description="a YAML file in which each of these keys holds something"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.not_empty is False:
            raise ValueError(f"needs exactly one of: {', '.join(type(self).model_fields)}")
        return self

    def fails(self, value: object, place: Callable[[Path], Path]) -> str | None:
        """Why `value` does not put the control in force, or None; `place` finds files (`Project.path`)."""
        (name,) = self.model_fields_set
        wanted = getattr(self, name)
        if name in ("at_least", "at_most"):
            return _number_fails(name, value, wanted)
        if name == "file_holds":
            return _file_fails(value, wanted, place)
        return (
            None
            if _holds(name, value, wanted)
            else f"got {plain(value)!r}, expected {name} {plain(wanted)!r}"
        )


def _holds(name: str, value: object, wanted: Any) -> bool:
    if name == "equals":
        return plain(value) == wanted and type(plain(value)) is type(wanted)  # true is not 1
    if name == "one_of":
        return value in wanted
    if name == "not_empty":
        return isinstance(value, str | tuple | list | dict) and len(value) > 0
    return _every(value, wanted)


def _number_fails(name: str, value: object, limit: float) -> str | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and (value >= limit if name == "at_least" else value <= limit):  # type: ignore[operator]  # so
        return None
    return f"got {plain(value)!r}, expected {name.replace('_', ' ')} {limit:g}"


def _every(value: object, key: str) -> bool:
    items = plain(value)
    return (
        isinstance(items, list)
        and len(items) > 0
        and all(isinstance(item, dict) and bool(item.get(key)) for item in items)
    )


def _file_fails(value: object, keys: tuple[str, ...], place: Callable[[Path], Path]) -> str | None:
    if not isinstance(value, Path):
        return f"got {plain(value)!r}, expected a file"
    try:
        content = read_yaml(place(value)).values
    except ConfigError as error:
        return error.message
    empty = [key for key in keys if not content.get(key)]
    return f"{value.name} holds nothing under {empty[0]!r}" if empty else None
