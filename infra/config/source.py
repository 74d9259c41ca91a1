"""YAML with positions: parsed values plus the line of every key, so that errors can point at it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from infra.errors import ConfigError

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class Source:
    """One parsed file: plain values and `{location: line}` (1-based)."""

    file: Path
    values: dict[str, Any]
    lines: dict[Location, int] = field(default_factory=dict)

    def where(self, location: Location) -> str:
        """`file:line` of the deepest known part of a location."""
        for end in range(len(location), -1, -1):
            if location[:end] in self.lines:
                return f"{self.file}:{self.lines[location[:end]]}"
        return str(self.file)


def read_yaml(file: Path) -> Source:
    """Parse a YAML mapping; raises ConfigError: missing, unreadable, malformed, duplicate key, no mapping."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{file}: no such file", hint="check --project and --profile") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}", hint="expected UTF-8 YAML") from error
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        lines: dict[Location, int] = {(): 1}
        if node is not None:
            _index(node, (), lines, file, set())
        values = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: malformed YAML: {error.problem}", hint="fix the syntax") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: malformed YAML: {error}", hint="fix the syntax") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{file}:1: got {type(values).__name__}, expected a mapping of settings")
    return Source(file, values, lines)


def _index(node: yaml.Node, at: Location, lines: dict[Location, int], file: Path, seen: set[int]) -> None:
    if id(node) in seen:  # an alias: its keys have their lines where they were written
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            location = (*at, str(key.value))
            if location in lines:
                raise ConfigError(f"{file}:{key.start_mark.line + 1}: key {key.value!r} is set twice")
            lines[location] = key.start_mark.line + 1
            _index(value, location, lines, file, seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines[(*at, number)] = value.start_mark.line + 1
            _index(value, (*at, number), lines, file, seen)


def merged(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """`base` with `override` laid over it, mapping by mapping; lists and scalars are replaced."""
    result = dict(base)
    for key, value in override.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
