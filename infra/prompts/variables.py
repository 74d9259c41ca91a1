"""Typed variables of a prompt besides `labels`, `text` and `canary`.

Variable.from_definition("tone", {"type": "choice", "choices": ["plain", "formal"], "default": "plain"})
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from infra.errors import DataError

VariableType = Literal["text", "integer", "choice", "list"]
Trust = Literal["trusted", "untrusted"]
Value = str | int | tuple[str, ...]
RESERVED = ("labels", "text", "canary")
"""Slots that every prompt has without declaring them."""
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_KEYS = ("type", "trust", "value", "default", "choices", "max_characters")
_MOST_CHARACTERS = 2000


@dataclass(frozen=True)
class Variable:
    """One more slot: `value` is fixed by the prompt, `default` may be replaced by the caller."""

    name: str
    type: VariableType = "text"
    trust: Trust = "trusted"
    value: Value | None = None
    default: Value | None = None
    choices: tuple[str, ...] = ()
    max_characters: int = _MOST_CHARACTERS
    """Longest rendered value."""

    @classmethod
    def from_definition(cls, name: str, definition: object) -> "Variable":
        """Check and build; raises DataError naming the variable and what is wrong with it."""
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise DataError(f"prompt: variable {name!r}: expected a-z, 0-9, '_' and none of {RESERVED}")
        if not isinstance(definition, Mapping) or (unknown := sorted(set(definition) - set(_KEYS))):
            got = type(definition).__name__ if not isinstance(definition, Mapping) else unknown
            raise DataError(f"prompt: variable {name}: got {got}, expected a mapping of {_KEYS}")
        raw: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in definition.items()
        }
        made = cls(name, **raw)
        made._check()
        return made

    def definition(self) -> dict[str, Any]:
        """What differs from the defaults, as JSON values."""
        found = {
            "type": (self.type, "text"),
            "trust": (self.trust, "trusted"),
            "value": (self.value, None),
            "default": (self.default, None),
            "choices": (self.choices, ()),
            "max_characters": (self.max_characters, _MOST_CHARACTERS),
        }
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, (value, default) in found.items()
            if value != default
        }

    @property
    def is_fixed(self) -> bool:
        """Whether the prompt alone says the value."""
        return self.value is not None

    def render(self, given: Value | None = None) -> str:
        """The value as words; raises DataError for another type, choice or length than declared."""
        if given is not None and self.is_fixed:
            raise DataError(f"prompt: variable {self.name} is fixed by the prompt, its value cannot be given")
        value = given if given is not None else self.value if self.is_fixed else self.default
        fits = {
            "text": isinstance(value, str),
            "integer": isinstance(value, int) and not isinstance(value, bool),
            "choice": isinstance(value, str) and value in self.choices,
            "list": isinstance(value, tuple) and all(isinstance(item, str) for item in value),
        }[self.type]
        if not fits or value is None:
            raise DataError(f"prompt: variable {self.name} got {type(value).__name__}, expected {self.type}")
        words = ", ".join(value) if isinstance(value, tuple) else str(value)
        if len(words) > self.max_characters:
            raise DataError(
                f"prompt: variable {self.name} has {len(words)} characters, at most {self.max_characters}"
            )
        return words

    def _check(self) -> None:
        where = f"prompt: variable {self.name}"
        if self.type not in get_args(VariableType) or self.trust not in get_args(Trust):
            raise DataError(f"{where}: got type {self.type!r}, trust {self.trust!r}", hint="see the schema")
        if type(self.max_characters) is not int or self.max_characters < 1:
            raise DataError(f"{where}: max_characters is {self.max_characters!r}, expected 1 or more")
        are_words = isinstance(self.choices, tuple) and all(isinstance(c, str) and c for c in self.choices)
        if not are_words or (self.type == "choice") != bool(self.choices):
            raise DataError(f"{where}: choices belong to type choice, and are texts")
        if (self.value is None) == (self.default is None):
            raise DataError(f"{where}: needs either a value (fixed) or a default (the caller may replace it)")
        self.render()
