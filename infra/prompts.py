"""Prompt templates as they are served: typed, rendered in one pass, by digest.

template = PromptTemplate.from_definition({"name": "triage", "system": "…{{labels}}…", "user": "{{text}}", …})
template.messages("The actor encrypted the hosts.")   # values are never expanded again
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.digest import digest_json
from infra.errors import DataError

_SLOT = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_FIELDS = {"name", "system", "user", "labels"}


@dataclass(frozen=True)
class PromptTemplate:
    """A system text with a `{{labels}}` slot and a user text with exactly one `{{text}}` slot."""

    name: str
    system: str
    user: str
    labels: tuple[str, ...]

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> "PromptTemplate":
        """Check and build; raises DataError for unknown fields, wrong types and wrong slots."""
        if set(definition) != _FIELDS:
            raise DataError(f"prompt: got fields {sorted(definition)}, expected {sorted(_FIELDS)}")
        labels = definition["labels"]
        if not isinstance(labels, list | tuple):
            raise DataError(f"prompt: labels are {type(labels).__name__}, expected a list of texts")
        texts = (definition["name"], definition["system"], definition["user"], *labels)
        if not labels or not all(isinstance(text, str) and text for text in texts):
            raise DataError("prompt: every field must be text, and labels a non-empty list")
        if len(set(labels)) != len(labels):
            raise DataError(f"prompt {definition['name']}: a label is listed twice")
        system_slots, user_slots = _SLOT.findall(definition["system"]), _SLOT.findall(definition["user"])
        if set(system_slots) - {"labels"}:
            raise DataError(
                f"prompt {definition['name']}: system uses {system_slots}, only labels is known there"
            )
        if user_slots != ["text"]:
            raise DataError(
                f"prompt {definition['name']}: user uses {user_slots}, expected text exactly once"
            )
        return cls(definition["name"], definition["system"], definition["user"], tuple(labels))

    def definition(self) -> dict[str, Any]:
        """The content that is stored, served and hashed."""
        return {"name": self.name, "system": self.system, "user": self.user, "labels": list(self.labels)}

    @property
    def digest(self) -> str:
        """Digest of the definition."""
        return digest_json(self.definition())

    def system_message(self) -> str:
        """The rendered system text."""
        return _fill(self.system, {"labels": ", ".join(self.labels)})

    def user_message(self, text: str) -> str:
        """The rendered user text; braces inside `text` stay what they are."""
        return _fill(self.user, {"text": text})

    def messages(self, text: str) -> list[dict[str, str]]:
        """Chat messages (role, content) up to, not including, the assistant's answer."""
        return [
            {"role": "system", "content": self.system_message()},
            {"role": "user", "content": self.user_message(text)},
        ]


def _fill(template: str, values: Mapping[str, str]) -> str:
    # One pass over the template: what a value contains is never looked at again.
    return _SLOT.sub(lambda match: values[match.group(1)], template)
