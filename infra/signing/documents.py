"""Strict JSON: what a verifier may read before it trusts anything.

parse_object(data, "release.json", most_bytes=1 << 20)   # dict, or VerificationError naming the document
"""

import json
from typing import Any, NoReturn

from infra.refusal import Reason, VerificationError

MOST_BYTES = 1 << 20


def parse_object(data: bytes, name: str, *, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The JSON object in `data`; raises VerificationError.

    Refuses oversized input, invalid UTF-8, repeated keys, NaN, infinities and runaway nesting: each lets
    two readers of one document see different things, or stops a reader altogether.
    """
    if len(data) > most_bytes:
        raise VerificationError(
            Reason.TOO_LARGE, f"{name}: got {len(data)} bytes, expected at most {most_bytes}"
        )

    def refuse(constant: str) -> NoReturn:
        raise VerificationError(Reason.MALFORMED, f"{name}: {constant} is no JSON value")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) != len(pairs):
            raise VerificationError(Reason.MALFORMED, f"{name}: an object has the same key twice")
        return values

    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError as error:
        raise VerificationError(Reason.TOO_LARGE, f"{name}: nested too deeply") from error
    except ValueError as error:
        raise VerificationError(Reason.MALFORMED, f"{name}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise VerificationError(Reason.MALFORMED, f"{name}: got {type(value).__name__}, expected an object")
    return value
