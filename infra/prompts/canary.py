"""The canary of a confidential system text: a marker that shows in an answer when the text leaks.

value = draw_canary(lambda canary: len(ids(template.system_message(canary=canary))))

Training and validation see `PLACEHOLDER`, the server a value of its own. So that what is served is what was
measured, both have the same shape and, counted in the rendered system text, the same number of tokens.
"""

import re
import secrets
from collections.abc import Callable

from infra.errors import DataError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"  # base32, RFC 4648: 16 characters are 80 bits
PLACEHOLDER = "CNRY-45XLNBWGL7HOQOKC"  # drawn once: it has as many tokens as most others
_SHAPE = re.compile(r"CNRY-[A-Z2-7]{16}")
_TRIES = 2_000


def is_canary(value: str) -> bool:
    """Whether a value has the shape of a canary."""
    return _SHAPE.fullmatch(value) is not None


def draw_canary(tokens: Callable[[str], int]) -> str:
    """A fresh canary for which `tokens` (of the rendered system text) is what it is for the placeholder.

    Raises DataError when chance finds none.
    """
    wanted = tokens(PLACEHOLDER)
    for _ in range(_TRIES):
        value = "CNRY-" + "".join(secrets.choice(_ALPHABET) for _ in range(16))
        if value != PLACEHOLDER and tokens(value) == wanted:
            return value
    raise DataError(f"no canary of {wanted} tokens in {_TRIES} tries", hint="use another tokenizer")
