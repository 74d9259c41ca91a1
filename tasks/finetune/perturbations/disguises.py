"""Characters that a reader does not notice: look-alikes from other scripts, gaps of no width.

homoglyphs("Emotet sends mail.", random.Random(0))     # "Emоtet sеnds mаil." with Cyrillic letters
"""

from itertools import pairwise
from random import Random

HOMOGLYPH_RATE = 0.2
"""Share of letters with a look-alike that are replaced."""
GAP_RATE = 0.2
"""Share of places between two letters that get a gap."""

_LOOK_ALIKES = dict(zip("aceiopsxyABCEHIKMOPTXjhd", "асеіорѕхуАВСЕНІКМОРТХјһԁ", strict=True))
_GAPS = "\u200b\u200c\u200d\u2060\ufeff\u00ad"


def homoglyphs(text: str, random: Random, rate: float = HOMOGLYPH_RATE) -> str:
    """`text` with Cyrillic look-alikes for `rate` of the letters that have one."""
    return "".join(
        _LOOK_ALIKES[char] if char in _LOOK_ALIKES and random.random() < rate else char for char in text
    )


def zero_width(text: str, random: Random, rate: float = GAP_RATE) -> str:
    """`text` with zero-width characters at `rate` of the places within words."""
    out = []
    for char, following in pairwise(text + " "):
        out.append(char)
        if char.isalpha() and following.isalpha() and random.random() < rate:
            out.append(random.choice(_GAPS))
    return "".join(out)
