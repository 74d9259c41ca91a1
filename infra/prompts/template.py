"""Prompt templates as they are served: typed, rendered in one pass, by digest.

template = PromptTemplate.from_definition({"name": "triage", "system": "…{{labels}}…", "user": "{{text}}", …})
template.messages("The actor encrypted the hosts.")   # values are never expanded again
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.digest import digest_json
from infra.errors import DataError
from infra.normalisation import normalise
from infra.prompts.canary import PLACEHOLDER, is_canary
from infra.prompts.check import check_template
from infra.prompts.settings import ModelSettings
from infra.prompts.slots import fill, slots
from infra.prompts.variables import Value, Variable

_NEEDED = {"name", "system", "user", "labels"}
_OPTIONAL = {"examples", "normalise", "settings", "variables", "delimiters", "confidential"}
_GREEDY = ModelSettings()
_NO_VALUES: Mapping[str, Value] = {}


@dataclass(frozen=True)
class Example:
    """One solved question, shown to the model as a user's and an assistant's turn."""

    text: str
    label: str


@dataclass(frozen=True)
class PromptTemplate:
    """A system text, a user text with one `{{text}}` slot, and whatever else shapes answers."""

    name: str
    system: str
    user: str
    labels: tuple[str, ...]
    examples: tuple[Example, ...] = ()
    normalise: tuple[str, ...] = ()
    """Steps of `infra.normalisation` applied to text from outside before it is rendered."""
    settings: ModelSettings = _GREEDY
    variables: tuple[Variable, ...] = ()
    """By name, in order."""
    delimiters: tuple[str, ...] = ()
    """What encloses untrusted text in `user`, none or an opening and a closing one; blanked out of values."""
    confidential: bool = False
    """Whether the system text must not be disclosed; it then carries `{{canary}}`."""

    @classmethod
    def from_definition(cls, definition: Mapping[str, Any]) -> "PromptTemplate":
        """Check and build; raises DataError for unknown fields, wrong types and wrong slots."""
        given = set(definition)
        if not _NEEDED <= given <= _NEEDED | _OPTIONAL:
            raise DataError(
                f"prompt: got fields {sorted(given)}, expected {sorted(_NEEDED)}",
                hint=f"and any of {sorted(_OPTIONAL)}",
            )
        variables = definition.get("variables", {})
        if not isinstance(variables, Mapping):
            raise DataError(f"prompt: variables are {type(variables).__name__}, expected a mapping")
        made = cls(
            definition["name"],
            definition["system"],
            definition["user"],
            _texts(definition, "labels"),
            _examples(definition.get("examples", [])),
            _texts(definition, "normalise"),
            ModelSettings.from_definition(definition.get("settings", {})),
            tuple(Variable.from_definition(name, variables[name]) for name in sorted(variables)),
            _texts(definition, "delimiters"),
            definition.get("confidential", False),
        )
        check_template(made)
        return made

    def definition(self) -> dict[str, Any]:
        """The content that is stored, served and hashed; keys at their defaults are left out."""
        optional = {
            "examples": [{"text": each.text, "label": each.label} for each in self.examples],
            "normalise": list(self.normalise),
            "settings": self.settings.definition(),
            "variables": {each.name: each.definition() for each in self.variables},
            "delimiters": list(self.delimiters),
            "confidential": self.confidential,
        }
        content = {"name": self.name, "system": self.system, "user": self.user, "labels": list(self.labels)}
        return content | {key: value for key, value in optional.items() if value}

    @property
    def digest(self) -> str:
        """Digest of the definition."""
        return digest_json(self.definition())

    @property
    def has_canary(self) -> bool:
        """Whether the system text has a place for a canary."""
        return "canary" in slots(self.system)

    def system_message(self, *, canary: str = PLACEHOLDER, values: Mapping[str, Value] = _NO_VALUES) -> str:
        """The rendered system text; raises DataError for a malformed canary or an undeclared value."""
        if not is_canary(canary):
            raise DataError("prompt: the canary does not have the shape CNRY-<16 base32 characters>")
        return fill(
            self.system, {"labels": ", ".join(self.labels), "canary": canary, **self._rendered(values)}
        )

    def user_message(self, text: str, *, values: Mapping[str, Value] = _NO_VALUES) -> str:
        """The rendered user text; braces inside `text` stay what they are."""
        return fill(self.user, {"text": self._untrusted(text), **self._rendered(values)})

    def messages(
        self, text: str, *, canary: str = PLACEHOLDER, values: Mapping[str, Value] = _NO_VALUES
    ) -> list[dict[str, str]]:
        """Chat messages (role, content) up to, not including, the assistant's answer."""
        turns = [{"role": "system", "content": self.system_message(canary=canary, values=values)}]
        for example in self.examples:
            turns.append({"role": "user", "content": self.user_message(example.text, values=values)})
            turns.append({"role": "assistant", "content": example.label})
        return [*turns, {"role": "user", "content": self.user_message(text, values=values)}]

    def _rendered(self, values: Mapping[str, Value]) -> dict[str, str]:
        if unknown := sorted(set(values) - {each.name for each in self.variables}):
            raise DataError(f"prompt {self.name}: variable {unknown[0]!r} is not declared")
        rendered = {each.name: each.render(values.get(each.name)) for each in self.variables}
        return {
            each.name: self._untrusted(rendered[each.name])
            if each.trust == "untrusted"
            else rendered[each.name]
            for each in self.variables
        }

    def _untrusted(self, value: str) -> str:
        """Text from outside as the model may see it: normalised, and unable to end its own enclosure."""
        if self.normalise:
            value = normalise(value, self.normalise)
        # A blank, not nothing: what stood left and right of a delimiter cannot join to another one.
        return self._delimiter.sub(" ", value) if self.delimiters else value

    @cached_property
    def _delimiter(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.delimiters)), re.IGNORECASE)


def _texts(definition: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = definition.get(key, [])
    if not isinstance(values, list | tuple) or not all(isinstance(value, str) for value in values):
        raise DataError(f"prompt: {key} is {type(values).__name__}, expected a list of texts")
    return tuple(values)


def _examples(values: object) -> tuple[Example, ...]:
    if not isinstance(values, list | tuple):
        raise DataError(f"prompt: examples are {type(values).__name__}, expected a list")
    found = []
    for value in values:
        fits = isinstance(value, Mapping) and set(value) == {"text", "label"}
        if not fits or not all(isinstance(words, str) and words for words in value.values()):
            raise DataError("prompt: an example is not a text with its label", hint="{text: …, label: …}")
        found.append(Example(value["text"], value["label"]))
    return tuple(found)
