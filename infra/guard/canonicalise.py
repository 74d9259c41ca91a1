"""Characters made comparable, one at a time, so that a prefix of a text gives a prefix of its view.

visible("a\\u200bb")                 # "ab": what a model may read
plain("Ｉｇｎｏｒе ｐrevious")         # "ignore previous": width, accents, look-alikes and case folded
letters("i-g.n o r e")              # "ignore"

Unicode: UAX #15 (NFKD of each character), UTS #39 (a small part of its confusables), tag block U+E0020.
"""

import unicodedata
from collections.abc import Callable

_KEPT_CONTROLS = frozenset("\n\t\r")
# Blank or default-ignorable, yet category Lo, Mn or So: they split words without showing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\u2800")
_DROPPED = frozenset({"Cf", "Cs", "Cn", "Co"})

# Latin look-alikes after NFKD and case folding; Cyrillic, Greek, Armenian and a few Latin letters.
_LOOKS_LIKE = {
    "a": "аαɑᴀ", "b": "вьβ", "c": "сϲᴄ", "d": "ԁᴅđ", "e": "еεᴇ", "g": "γɡց", "h": "һнհħ", "i": "іїιıɩɪ",
    "j": "јϳᴊ", "k": "кκᴋ", "l": "ӏʟłƚ", "m": "мᴍ", "n": "пиηոɴ", "o": "оοσօᴏø", "p": "рρᴘ", "q": "ԛ",
    "r": "гʀ", "s": "ѕꜱ", "t": "тτᴛŧ", "u": "υսᴜ", "v": "ѵνᴠ", "w": "ԝωւᴡ", "x": "хχ", "y": "у", "z": "ζᴢ",
}  # fmt: skip
_CONFUSABLE = {other: latin for latin, others in _LOOKS_LIKE.items() for other in others}
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"}


class _View:
    """One rule for each character, applied by tables: a lazily filled one, and a fast one for ASCII."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        self._table = _CharacterMap(rule)
        # Every ASCII character becomes one ASCII character or none in all views.
        folded = [rule(chr(code)) for code in range(128)]
        self._ascii = "".join(each or "\0" for each in folded).encode("ascii").ljust(256, b"\0")
        self._dropped = bytes(code for code, each in enumerate(folded) if not each)

    def __call__(self, text: str) -> str:
        if text.isascii():
            return text.encode("ascii").translate(self._ascii, self._dropped).decode("ascii")
        return text.translate(self._table)


class _CharacterMap(dict[int, str]):
    """A lazily filled table for `str.translate`."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = found = self._rule(chr(code))
        return found


def _is_invisible(char: str) -> bool:
    if char in _BLANK or 0xFE00 <= ord(char) <= 0xFE0F or 0xE0000 <= ord(char) <= 0xE0FFF:
        return True
    category = unicodedata.category(char)
    return category in _DROPPED or (category == "Cc" and char not in _KEPT_CONTROLS)


def _visible(char: str) -> str:
    return "" if _is_invisible(char) else char


def _plain(char: str) -> str:
    if 0xE0020 <= ord(char) <= 0xE007E:
        return chr(ord(char) - 0xE0000).lower()  # hidden text: read it as what it says
    if _is_invisible(char):
        return ""
    parts = (part for part in unicodedata.normalize("NFKD", char) if unicodedata.category(part) != "Mn")
    folded = "".join(parts).casefold()
    return "".join(_CONFUSABLE.get(part, part) for part in folded)


def _letters(char: str) -> str:
    return "".join(part for part in _plain(char) if part.isalpha())


def _leet(char: str) -> str:
    return "".join(part for part in (_LEET.get(folded, folded) for folded in _plain(char)) if part.isalpha())


_VISIBLE, _PLAIN, _LETTERS, _LEET_LETTERS = (_View(rule) for rule in (_visible, _plain, _letters, _leet))


def visible(text: str) -> str:
    """`text` without controls, zero-width, bidirectional, tag, private-use and unassigned characters."""
    return _VISIBLE(text)


def plain(text: str) -> str:
    """The comparable form: hidden tags decoded, marks and invisible characters gone, look-alikes folded."""
    return _PLAIN(text)


def letters(text: str) -> str:
    """`plain` with letters alone: finds words that are spaced, dotted or broken."""
    return _LETTERS(text)


def leet_letters(text: str) -> str:
    """`letters` after 0→o, 1→i, 3→e, 4→a, 5→s, 7→t, @→a, $→s, !→i."""
    return _LEET_LETTERS(text)
