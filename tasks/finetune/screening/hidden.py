"""Characters that a person does not see, or takes for others, in a training row.

hidden_characters("pay\\u200bload")        # ("U+200B inside a word",)
hidden_characters("раyload")              # Cyrillic р and а: ("look-alike letters in 1 word",)

What writing systems need is let through: joiners between non-Latin letters and in emoji, marks of
direction in right-to-left text, variation selectors after emoji and ideographs (UTS #51, UAX #9, UTS #37).
"""

import re
import unicodedata

from infra.guard.canonicalise import plain

_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,7}\U000e007f")
_WORD = re.compile(r"[^\W\d_]+")
_JOINERS = frozenset("\u200c\u200d")
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0")
_KEPT_CONTROLS = frozenset("\n\t\r")
_FOREIGN = ("CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


def hidden_characters(text: str) -> tuple[str, ...]:
    """What is hidden, as code points and counts, sorted; empty for a text that is what it looks like."""
    if text.isascii() and text.isprintable():
        return ()
    text = _FLAG.sub("", text)
    right_to_left = any(unicodedata.bidirectional(char) in ("R", "AL") for char in text)
    found = {
        f"U+{ord(char):04X}"
        for at, char in enumerate(text)
        if _is_hidden(char, text[at - 1] if at else "", text[at + 1 : at + 2], right_to_left)
    }
    if words := _look_alike_words(text):
        found.add(f"look-alike letters in {words} word{'s' if words > 1 else ''}")
    return tuple(sorted(found))


def _is_hidden(char: str, before: str, after: str, right_to_left: bool) -> bool:
    code = ord(char)
    if char in _DIRECTION:
        return not right_to_left
    if char in _JOINERS:
        return not before or before.isascii() or (after.isascii() and after.isalnum())
    if 0xFE00 <= code <= 0xFE0F:
        return not before or (before.isascii() and before not in "#*0123456789")
    if 0xE0100 <= code <= 0xE01EF:
        return not before or ord(before) < 0x2E80
    if unicodedata.category(char) == "Cc":
        return char not in _KEPT_CONTROLS
    return char in _BLANK or unicodedata.category(char) in ("Cf", "Cs") or 0xE0000 <= code <= 0xE0FFF


def _look_alike_words(text: str) -> int:
    """Words with letters of another script that pass for Latin ones.

    Beside Latin letters in one word always; as a whole word only in a text that is Latin otherwise.
    """
    if text.isascii():
        return 0
    words = _WORD.findall(text)
    latin_text = sum(word.isascii() for word in words) * 2 >= len(words)
    return sum(_looks_latin(word, latin_text) for word in words)


def _looks_latin(word: str, in_latin_text: bool) -> bool:
    foreign = sum(not char.isascii() and passes_for_latin(char) for char in word)
    mixed = any(char.isascii() for char in word)
    return foreign > 0 and (mixed or (in_latin_text and len(word) > 3 and foreign == len(word)))


def passes_for_latin(char: str) -> bool:
    """A letter of another script that a reader takes for a Latin one."""
    folded = plain(char)
    script = unicodedata.name(char, "").split(" ", 1)[0]
    return len(folded) == 1 and folded.isascii() and (script in _FOREIGN or "FULLWIDTH" in script)
