"""What differs between two prompt definitions, key by key, words by line.

print(difference_text(definition_difference(old, new)))
"""

import difflib
from collections.abc import Mapping
from typing import Any

from infra.prompts.lines import value_lines


def definition_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`{key: {"old": …, "new": …}}` of the keys that differ; None stands for an absent key."""
    keys = dict.fromkeys([*old, *new])
    return {key: {"old": old.get(key), "new": new.get(key)} for key in keys if old.get(key) != new.get(key)}


def difference_text(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """A unified difference for people."""
    lines: list[str] = []
    for key, change in changes.items():
        lines.append(f"{key}:")
        old, new = (value_lines(change[side]) for side in ("old", "new"))
        lines += [f"  {line}" for line in list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]]
    return "\n".join(lines) or "no difference"
