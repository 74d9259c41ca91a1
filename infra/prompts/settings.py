"""How a model is asked to answer: part of a prompt's digest, because it changes answers.

ModelSettings(max_new_tokens=16)
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from infra.errors import DataError


@dataclass(frozen=True)
class ModelSettings:
    """Sampling and length; the defaults mean the likeliest answer, as long as the server allows."""

    temperature: float = 0.0
    """0 to 2; 0 is greedy, which is what validation measures."""
    top_p: float = 1.0
    """Above 0, at most 1."""
    max_new_tokens: int | None = None
    """Most tokens of an answer, 1 to 32768; None: the server's own limit."""

    @classmethod
    def from_definition(cls, definition: object) -> "ModelSettings":
        """Check and build; raises DataError for unknown names, wrong types and values out of range."""
        if not isinstance(definition, Mapping):
            raise DataError(f"prompt: settings are {type(definition).__name__}, expected a mapping")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(map(str, definition)) - known):
            raise DataError(f"prompt: settings do not know {unknown[0]!r}, expected {sorted(known)}")
        made = cls(
            _number(definition, "temperature", 0.0),
            _number(definition, "top_p", 1.0),
            definition.get("max_new_tokens"),
        )
        if not 0 <= made.temperature <= 2 or not 0 < made.top_p <= 1:
            raise DataError(
                f"prompt: got temperature {made.temperature:g}, top_p {made.top_p:g},"
                " expected 0 to 2 and above 0 to 1"
            )
        most = made.max_new_tokens
        if most is not None and (type(most) is not int or not 1 <= most <= 32_768):
            raise DataError(f"prompt: max_new_tokens is {most!r}, expected 1 to 32768")
        return made

    def definition(self) -> dict[str, Any]:
        """What differs from the defaults."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in values.items() if value != default}


def _number(definition: Mapping[str, Any], name: str, default: float) -> float:
    value = definition.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"prompt: {name} is {value!r}, expected a number")
    return float(value)
