"""Rows with characters that do not show, and rows that look like personal data; over whole columns.

hidden_flags(texts), personal_flags(texts)       # a flag a row

Patterns that RE2 runs over the column pick candidates; only they are asked one by one, by the same code
that the gateway and the preparation use.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from infra.guard.canonicalise import visible
from infra.guard.pii import KINDS, MAYBE, form_of, has_pii

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
    return _narrowed(texts, _UNUSUAL, lambda some: _asked(some, has_hidden))


def has_hidden(text: str) -> bool:
    """Whether the guard would drop a character of this text before a model reads it."""
    shown = text.replace(_EMOJI_STYLE, "")
    return visible(shown) != shown


def personal_flags(texts: "pa.ChunkedArray") -> "NDArray[np.bool_]":
    """Rows with an address, number or other datum of a person that its form gives away."""
    return _narrowed(texts, MAYBE, _personal)


def _personal(texts: "pa.ChunkedArray") -> "NDArray[np.bool_]":
    import numpy as np

    flags = np.zeros(len(texts), np.bool_)
    for kind in KINDS:  # most rows have the form of one kind at most
        flags |= _narrowed(texts, form_of(kind), partial(_asked, ask=partial(has_pii, kind)))
    return flags


def _narrowed(
    texts: "pa.ChunkedArray", pattern: str, decide: "Callable[[pa.ChunkedArray], NDArray[np.bool_]]"
) -> "NDArray[np.bool_]":
    """A flag a row: `decide` on the rows that the pattern matches, False for the others."""
    import numpy as np
    import pyarrow.compute as pc

    found = pc.fill_null(pc.match_substring_regex(texts, pattern), False)
    flags = np.asarray(found).copy()
    # Not `take`, which first copies the whole column into one chunk.
    flags[np.flatnonzero(flags)] = decide(texts.filter(found))
    return flags


def _asked(texts: "pa.ChunkedArray", ask: Callable[[str], bool]) -> "NDArray[np.bool_]":
    import numpy as np

    return np.array([ask(text) for text in texts.to_pylist()], np.bool_)
