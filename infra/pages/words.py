"""Text of others on a page: escaped, cut, and with nothing in it that cannot be seen.

shown(transcript.attack, most=600)
"""

import unicodedata
from html import escape

# Besides control (Cc) and format (Cf) characters: line separators, private use, surrogates, unassigned.
_UNSEEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"})


def shown(text: str, *, most: int = 2000, lines: bool = False) -> str:
    """HTML of any text: at most `most` of its characters; what is invisible or turns the direction of
    reading is written as ⟨U+202E⟩; line ends are kept with `lines`, else they are blanks."""
    return escape(visible(shortened(text, most), lines=lines))


def shortened(text: str, most: int) -> str:
    """At most `most` characters and a word on how many are missing."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most:,} more characters)"


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every character that could mislead a reader written as its code point."""
    kept = text.replace("\r\n", "\n")
    return "".join(_visible(each, lines) for each in kept)


def _visible(character: str, lines: bool) -> str:
    if character in "\n\t":
        return character if lines else " "
    if unicodedata.category(character) in _UNSEEN:
        return f"⟨U+{ord(character):04X}⟩"
    return character
