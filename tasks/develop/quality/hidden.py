"""Rows with characters that do not show, and rows that look like personal data; over whole columns.

hidden_flags(texts), personal_flags(texts)       # a flag a row

A pattern that RE2 runs over the column picks candidates; only they are asked one by one, by the same code
that the gateway and the preparation use.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from infra.guard.canonicalise import visible
from infra.guard.pii import MAYBE, find_pii

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

# Whatever is no letter, mark, number, sign, blank or line break; and marks and letters that do not show.
_UNUSUAL = (
    r"[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\n\t\r]"
    "|[\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800\ufe00-\ufe0e]"
    "|[\U000e0000-\U000e0fff]"
)
_EMOJI_STYLE = "\ufe0f"  # asks for the coloured form of the sign before it, which shows


def hidden_flags(texts: "pa.ChunkedArray") -> "NDArray[np.bool_]":
    """Rows with zero-width, bidirectional, tag, control, private-use or unassigned characters."""
    return _asked(texts, _UNUSUAL, has_hidden)


def has_hidden(text: str) -> bool:
    """Whether the guard would drop a character of this text before a model reads it."""
    shown = text.replace(_EMOJI_STYLE, "")
    return visible(shown) != shown


def personal_flags(texts: "pa.ChunkedArray") -> "NDArray[np.bool_]":
    """Rows with an address, number or other datum of a person that its form gives away."""
    return _asked(texts, MAYBE, lambda text: bool(find_pii(text)))


def _asked(texts: "pa.ChunkedArray", pattern: str, ask: Callable[[str], bool]) -> "NDArray[np.bool_]":
    import numpy as np
    import pyarrow.compute as pc

    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    flags = np.asarray(found).copy()
    places = np.flatnonzero(flags)
    flags[places] = [ask(text) for text in texts.take(places).to_pylist()]
    return flags
