"""What differs between two prompt definitions, key by key, words by line.

print(difference_text(definition_difference(old, new)))
"""

import difflib
import json
from collections.abc import Mapping
from typing import Any


def definition_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{key: {"old": …, "new": …}}` of the keys that differ; None stands for an absent key."""
    keys = dict.fromkeys([*old, *new])
    return {key: {"old": old.get(key), "new": new.get(key)} for key in keys if old.get(key) != new.get(key)}


def difference_text(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """A unified difference for people."""
    lines: list[str] = []
    for key, change in changes.items():
        lines.append(f"{key}:")
        old, new = (_lines(change[side]) for side in ("old", "new"))
        lines += [f"  {line}" for line in list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]]
    return "\n".join(lines) or "no difference"


def _lines(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return value.splitlines()
    if isinstance(value, list):
        return [item if isinstance(item, str) else _compact(item) for item in value]
    if isinstance(value, Mapping):
        return [f"{key}: {_compact(inner)}" for key, inner in sorted(value.items())]
    return [_compact(value)]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
