"""The value of one key of a prompt definition as lines of text, so that two versions can be compared.

value_lines({"temperature": 0})      # ["temperature: 0"]
"""

import json
from collections.abc import Mapping
from typing import Any


def value_lines(value: Any) -> list[str]:
    """Lines of a text, items of a list, `key: value` of a mapping in order; none for None."""
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
