"""What is wrong in a configuration file, in one line: file, line, key, what was got, the nearest valid name.

except ValidationError as error:
    raise explain(error, source, Benchmark) from error
"""

import difflib
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from infra.config.source import Location, Source
from infra.errors import ConfigError


def explain(error: ValidationError, source: Source, model: type[BaseModel], schema: str = "") -> ConfigError:
    """The first problem of a file that does not fit `model`; `schema` names where every key is described."""
    errors = error.errors(include_url=False)
    # A misspelt key is also a missing one; the misspelling is the one to name.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    location = tuple(first["loc"])
    where, name = source.where(location), ".".join(map(str, location)) or "the file"
    hint = f"see {schema} for every key" if schema else ""
    if first["type"] == "extra_forbidden":
        return ConfigError(
            f"{where}: unknown key {name!r}", hint=nearest(str(location[-1]), _keys(model, location)) or hint
        )
    # Errors of a whole section (cross-field checks) carry it as input: too long to repeat.
    plain = isinstance(first["input"], str | int | float | bool | None)
    # What should have been a reference may be the secret itself.
    shown = plain and first["type"] not in ("missing", "secret_reference")
    got = f", got {first['input']!r}" if shown else ""
    return ConfigError(f"{where}: {name}: {first['msg'].removeprefix('Value error, ')}{got[:120]}", hint=hint)


def nearest(name: str, known: list[str]) -> str:
    """A hint that names what is probably meant, or everything that is known."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}" if known else ""


def _keys(model: type[BaseModel], location: Location) -> list[str]:
    """Keys of the section that holds the last part of a location."""
    section: Any = model
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        section = _section(field.annotation) if field is not None else None
        if section is None:
            return []
    return list(section.model_fields)


def _section(annotation: Any) -> type[BaseModel] | None:
    """The section inside of an annotation such as `tuple[Section, ...] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _section(each)) is not None), None)
