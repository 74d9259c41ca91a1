"""What SLSA provenance tells a card: rows, settings, code, lock file, versions; no field of it is trusted.

facts_of(statement)["commit"]        # "f16f918…"; absent where the statement does not say it properly
"""

from collections.abc import Mapping
from typing import Any

from infra.digest import PREFIX

_LONGEST = 200


def facts_of(statement: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `MadeFrom`, only those that are there in the right form; never raises for odd content."""
    definition = _mapping(_mapping(statement.get("predicate")).get("buildDefinition"))
    external = _mapping(definition.get("externalParameters"))
    internal = _mapping(definition.get("internalParameters"))
    listed = definition.get("resolvedDependencies")
    entries = map(_mapping, listed if isinstance(listed, list) else [])
    resources = {str(each.get("name")): each for each in entries}
    code = _mapping(resources.get("code"))
    dirty = _mapping(code.get("annotations")).get("dirty")
    found = {
        "rows": _rows(resources),
        "training": _digest(_mapping(external.get("training"))),
        "code": _digest(_mapping(code.get("digest"))),
        "commit": _text(_mapping(code.get("digest")).get("gitCommit")),
        "dirty": dirty if isinstance(dirty, bool) else None,
        "lock": _digest(_mapping(_mapping(resources.get("requirements.lock")).get("digest"))),
        "packages": _digest(_mapping(internal.get("packages"))),
        "python": _text(internal.get("python")),
        "versions": {
            name[:_LONGEST]: version[:_LONGEST]
            for name, version in _mapping(internal.get("versions")).items()
            if isinstance(name, str) and isinstance(version, str)
        },
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _rows(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    found = {}
    for name, resource in resources.items():
        count = _mapping(resource.get("annotations")).get("rows")
        if name.startswith("dataset/") and type(count) is int and count >= 0:
            found[name.removeprefix("dataset/")[:_LONGEST]] = count
    return found


def _digest(value: Mapping[str, Any]) -> str | None:
    text = value.get("sha256")
    proper = isinstance(text, str) and len(text) == 64 and not set(text) - set("0123456789abcdef")
    return f"{PREFIX}{text}" if proper else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
