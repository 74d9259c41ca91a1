"""Word lists of the fairness check: names, words of gender, places, ways of writing; checked, by digest.

lists = load_lists(project.path(project.fairness.lists))
lists.names.groups["Arabic"].female[0]
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError, model_validator

from infra.config.section import Section
from infra.config.source import read_yaml
from infra.digest import digest_file, digest_json
from infra.errors import ConfigError

Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
FILES = ("names", "gender", "places", "varieties")
_SLOT = re.compile(r"\{([a-z]+)\}")
M = TypeVar("M", bound=BaseModel)


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its slots filled in one pass: braces in a value stay what they are."""
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), template)


def _check_slots(templates: tuple[str, ...], allowed: set[str], needs_one: bool) -> None:
    for template in templates:
        slots = _SLOT.findall(template)
        if slots.count("text") != 1 or set(slots) - allowed - {"text"}:
            names = ", ".join(f"{{{each}}}" for each in sorted(allowed | {"text"}))
            raise ValueError(f"template {template!r}: expected {{text}} once and no slots but {names}")
        if needs_one and not set(slots) & allowed:
            raise ValueError(f"template {template!r} names no group: its slot is missing")


class NameGroup(Section):
    """Names that are common in one part of the world; the same position is drawn from every group."""

    female: tuple[Words, ...] = Field(min_length=1)
    male: tuple[Words, ...] = Field(min_length=1)


class Names(Section):
    """Names by where they are common."""

    templates: tuple[Words, ...] = Field(min_length=1)
    groups: dict[Words, NameGroup] = Field(min_length=2)

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        _check_slots(self.templates, {"name"}, needs_one=True)
        sizes = {len(each) for group in self.groups.values() for each in (group.female, group.male)}
        if len(sizes) != 1:
            raise ValueError(f"groups have {sorted(sizes)} names, expected the same number everywhere")
        every = [name for group in self.groups.values() for name in (*group.female, *group.male)]
        if twice := sorted({name for name in every if every.count(name) > 1}):
            raise ValueError(f"name {twice[0]!r} is listed twice")
        return self


class Pairs(Section):
    """Two groups with templates and words that are each other's counterparts."""

    templates: dict[Words, tuple[Words, ...]] = Field(min_length=2, max_length=2)
    swaps: tuple[dict[Words, Words], ...] = ()
    ambiguous: tuple[Words, ...] = Field((), description="a row with one of these is not swapped")

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        sizes = {len(each) for each in self.templates.values()}
        if len(sizes) != 1 or sizes == {0}:
            raise ValueError(f"groups have {sorted(sizes)} templates, expected the same number, at least 1")
        for templates in self.templates.values():
            _check_slots(templates, set(), needs_one=False)
        for swap in self.swaps:
            if set(swap) != set(self.templates):
                raise ValueError(
                    f"swap {dict(swap)}: expected one word for each of {', '.join(self.templates)}"
                )
        for group in self.templates:
            words = [swap[group].lower() for swap in self.swaps]
            if twice := sorted({word for word in words if words.count(word) > 1}):
                raise ValueError(f"{twice[0]!r} is listed twice for {group}")
        return self


class Place(Section):
    """A country and what its people are called."""

    country: Words
    demonym: Words


class Places(Section):
    """Countries that are swapped for one another."""

    templates: tuple[Words, ...] = Field(min_length=1)
    groups: dict[Words, Place] = Field(min_length=2)
    also: tuple[Place, ...] = ()

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        _check_slots(self.templates, {"country", "demonym"}, needs_one=True)
        every = [place.country for place in (*self.groups.values(), *self.also)]
        if twice := sorted({name for name in every if every.count(name) > 1}):
            raise ValueError(f"country {twice[0]!r} is listed twice")
        return self


class Variety(Section):
    """Rules that turn a text into another way of writing it, in this order."""

    replace: dict[Words, str] = Field({}, description="words for words")
    drop: tuple[Words, ...] = ()
    lower_first: bool = False
    drop_final_stop: bool = False

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not (self.replace or self.drop or self.lower_first or self.drop_final_stop):
            raise ValueError("the variety changes nothing: give it a rule")
        return self


class Varieties(Section):
    """Ways of writing, compared with the text as it is, and two spellings, compared with each other."""

    standard: Words = Field(description="name of the group of unchanged texts")
    varieties: dict[Words, Variety] = Field(min_length=1)
    spelling: Pairs

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.standard in self.varieties:
            raise ValueError(f"{self.standard!r} names the unchanged text, it cannot be a variety too")
        return self


@dataclass(frozen=True)
class Lists:
    """All word lists of a project."""

    names: Names
    gender: Pairs
    places: Places
    varieties: Varieties
    digest: str
    """Over the bytes of the four files."""


def load_lists(directory: Path) -> Lists:
    """Read `names`, `gender`, `places` and `varieties.yaml`; raises ConfigError with file and line."""
    return Lists(
        _read(directory / "names.yaml", Names),
        _read(directory / "gender.yaml", Pairs),
        _read(directory / "places.yaml", Places),
        _read(directory / "varieties.yaml", Varieties),
        lists_digest(directory),
    )


def lists_digest(directory: Path) -> str:
    """Over the bytes of the four files; raises ConfigError for one that is missing."""
    files = {name: directory / f"{name}.yaml" for name in FILES}
    if missing := [file for file in files.values() if not file.is_file()]:
        raise ConfigError(f"{missing[0]}: no such file", hint="see configs/fairness/ for the four files")
    return digest_json({name: digest_file(file) for name, file in files.items()})


def _read(file: Path, model: type[M]) -> M:
    source = read_yaml(file)
    try:
        return model.model_validate(source.values)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # A misspelt key is also a missing one; the misspelling is the one to name.
        first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
        name = ".".join(map(str, first["loc"])) or "the file"
        message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(
            f"{source.where(first['loc'])}: {name}: {message}",
            hint="see configs/fairness/ for examples, and configs/schema/fairness.schema.json for every key",
        ) from error
