"""Undoes what only disguises a text, the same way before training, scoring and serving.

normalise("The аctor\\u200b encrypts FILES", STEPS)     # "The actor encrypts FILES": Cyrillic а, a gap
normalise("THE ACTOR ENCRYPTS FILES", ["shouting"])    # "The actor encrypts files"

What comes out is read by the model; what the guard compares is coarser (infra/guard/canonicalise).
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache

from infra.errors import ConfigError
from infra.guard.canonicalise import plain, visible

STEPS = ("invisible", "confusables", "shouting")
"""Every step that `normalise` knows, in the order in which it takes them."""

_WORD = re.compile(r"[^\W\d_]+")
# Letters drawn like Latin ones in any font: a word of these alone may be English in disguise. Words with
# к, т, п or η are left alone: they look like Latin letters only to a model.
_TWINS = frozenset("асеорхуѕіјԁӏԛԝһοօ" + "АСЕОРХУЅІЈԀӀԚԜҺΟՕ" + "ВКМНТΑΒΕΖΗΙΚΜΝΡΤΥΧ")
# Capitals that look like another letter than their lower case does.
_CAPITALS = {"Η": "H", "Ν": "N", "Υ": "Y"}
# Full-width forms, letter-like symbols, mathematical alphanumerics: the same letter in another dress.
_DRESSED = ((0xFF01, 0xFF5E), (0x2100, 0x214F), (0x1D400, 0x1D7FF))
_FEWEST_LETTERS, _FEWEST_WORDS = 12, 3
_PLAIN_SHARE = 0.3


def normalise(text: str, steps: Sequence[str]) -> str:
    """`text` after the named steps, in the order of `STEPS`; doing it twice changes nothing more.

    Raises ConfigError for a step that is not in `STEPS`.
    """
    for name in steps:
        if name not in STEPS:
            raise ConfigError(f"normalise: got the step '{name}'", f"known steps: {', '.join(STEPS)}")
    for name, apply in _RULES.items():
        if name in steps:
            text = apply(text)
    return text


def unshouted(text: str) -> str:
    """A text without ordinary words (capitals only, or cased at random) in sentence case; others as is.

    Ordinary is a word whose letters after the first are small. A few acronyms among ordinary words stay.
    """
    words = [word for word in _WORD.findall(text) if len(word) > 1]
    if len(words) < _FEWEST_WORDS or sum(map(len, words)) < _FEWEST_LETTERS:
        return text
    ordinary = sum(word[1:] == word[1:].lower() for word in words)
    if ordinary > _PLAIN_SHARE * len(words):
        return text
    return _SENTENCE_START.sub(lambda found: found[1] + _capital(found[2]), text.lower())


_SENTENCE_START = re.compile(r"(^\W*|[.!?]\s+)([^\W\d_])")


def _capital(letter: str) -> str:
    upper = letter.upper()
    return upper if len(upper) == 1 else letter


def unconfused(text: str) -> str:
    """Look-alike letters as the Latin letters they imitate, inside words that are otherwise Latin.

    Words of another script stay, also between Latin ones; a word of twins alone (а, о, сору) is folded
    only in a text that is mostly Latin and shows no other word of a foreign script.
    """
    if text.isascii():
        return text
    text = "".join(map(_undressed, text))
    text = _WORD.sub(lambda found: _mixed_word(found[0]), text)
    words = _WORD.findall(text)
    foreign = [word for word in words if not any(map(_is_latin, word))]
    disguised = [word for word in foreign if _TWINS.issuperset(word)]
    if not disguised or len(disguised) < len(foreign) or 2 * len(foreign) >= len(words):
        return text
    return _WORD.sub(lambda found: _folded(found[0]) if found[0] in disguised else found[0], text)


def _mixed_word(word: str) -> str:
    if word.isascii() or not any(map(_is_latin, word)):
        return word
    others = [letter for letter in word if not _is_latin(letter)]
    if len(word) < 3 and not _TWINS.issuperset(others):
        return word  # kΩ and µm are units, not disguised words
    if any(_twin(letter) == letter for letter in others):
        return word  # a letter that imitates none: the word is not Latin after all
    return _folded(word)


def _folded(word: str) -> str:
    return "".join(map(_twin, word))


@lru_cache(maxsize=4096)
def _twin(letter: str) -> str:
    """The Latin letter that this one imitates, or the letter itself."""
    if letter.isascii() or unicodedata.decomposition(letter):
        return letter
    name = unicodedata.name(letter, "")
    if name.startswith("LATIN") and "SMALL CAPITAL" not in name and letter not in "ɑɡ":
        return letter  # ø, ł and đ are letters of their own
    if letter in _CAPITALS:
        return _CAPITALS[letter]
    folded = plain(letter)
    if len(folded) != 1 or not folded.isascii():
        return letter
    return folded.upper() if letter.isupper() else folded


@lru_cache(maxsize=4096)
def _is_latin(letter: str) -> bool:
    return letter.isascii() or unicodedata.name(letter, "").startswith("LATIN")


def _undressed(char: str) -> str:
    if char.isascii() or not any(first <= ord(char) <= last for first, last in _DRESSED):
        return char
    simple = unicodedata.normalize("NFKC", char)
    return simple if len(simple) == 1 and simple.isascii() else char


_RULES: dict[str, Callable[[str], str]] = {
    "invisible": visible,
    "confusables": unconfused,
    "shouting": unshouted,
}
