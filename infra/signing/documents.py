"""Strict JSON: what a verifier may read before it trusts anything.

parse_object(data, "release.json", most_bytes=1 << 20)   # dict, or IntegrityError naming the document
"""

import json
from typing import Any, NoReturn

from infra.errors import IntegrityError

MOST_BYTES = 1 << 20


def parse_object(data: bytes, name: str, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object in `data`; raises IntegrityError.

    Refuses oversized input, invalid UTF-8, repeated keys, NaN, infinities and runaway nesting: each lets
    two readers of one document see different things, or stops a reader altogether.
    """
    if len(data) > most_bytes:
        raise IntegrityError(f"{name}: got {len(data)} bytes, expected at most {most_bytes}")

    def refuse(constant: str) -> NoReturn:
        raise IntegrityError(f"{name}: {constant} is no JSON value")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) != len(pairs):
            raise IntegrityError(f"{name}: an object has the same key twice")
        return values

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{name}: not JSON: {type(error).__name__}: {error}") from error
    if not isinstance(value, dict):
        raise IntegrityError(f"{name}: got {type(value).__name__}, expected an object")
    return value
