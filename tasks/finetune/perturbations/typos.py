"""Slips of the fingers: a neighbouring key, two letters swapped, a letter lost.

typos("Emotet sends mail.", random.Random(0))     # 8 % of the letters are hit
"""

from random import Random

RATE = 0.08
"""Share of letters that are hit."""

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """Keys that touch on a US keyboard; each row starts half a key further right than the one above."""
    at = {key: (column + row / 2, row) for row, keys in enumerate(_ROWS) for column, key in enumerate(keys)}
    return {
        key: "".join(
            other
            for other, (u, v) in at.items()
            if other != key and abs(x - u) <= 1 and abs(y - v) <= 1  # one key away
        )
        for key, (x, y) in at.items()
    }


_NEIGHBOURS = _neighbours()


def typos(text: str, random: Random, rate: float = RATE) -> str:
    """`text` with typing errors in about `rate` of its letters."""
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if not char.isalpha() or random.random() >= rate:
            out.append(char)
            continue
        slip = random.choice(("neighbour", "swap", "drop"))
        if slip == "neighbour":
            out.append(_neighbour(char, random))
        elif slip == "swap" and at < len(text) and text[at].isalpha():
            out += [text[at], char]
            at += 1
        elif slip == "swap":
            out.append(char + char)
    return "".join(out)


def _neighbour(char: str, random: Random) -> str:
    keys = _NEIGHBOURS.get(char.lower())
    if keys is None:
        return char
    key = random.choice(keys)
    return key.upper() if char.isupper() else key
