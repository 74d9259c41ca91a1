"""Disguises of single characters: what is written stays readable to a model, not to a filter.

zero_width("ignore", Random(0))      # the same word with gaps of no width
untagged(tags("ignore", Random(0)))  # "ignore"
"""

from random import Random

_LOOK_ALIKES = dict(zip("aceiopsxyABCEHIKMOPTXjhd", "асеіорѕхуАВСЕНІКМОРТХјһԁ", strict=True))
_ORIGINALS = {other: latin for latin, other in _LOOK_ALIKES.items()}
_GAPS = "\u200b\u200c\u200d\u2060\ufeff"
_LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
_UNLEET = {digit: letter for letter, digit in _LEET.items()}
_TAGS = 0xE0000


def capitals(text: str, _random: Random) -> str:
    """All letters as capitals."""
    return text.upper()


def mixed_case(text: str, random: Random) -> str:
    """Every letter in a case of its own."""
    return "".join(char.upper() if random.random() < 0.5 else char.lower() for char in text)


def zero_width(text: str, random: Random) -> str:
    """A gap of no width behind every other character or so."""
    return "".join(char + random.choice(_GAPS) if random.random() < 0.5 else char for char in text)


def without_gaps(text: str) -> str:
    """Undoes `zero_width`."""
    return "".join(char for char in text if char not in _GAPS)


def homoglyphs(text: str, random: Random) -> str:
    """Cyrillic look-alikes for half of the letters that have one."""
    return "".join(
        _LOOK_ALIKES[char] if char in _LOOK_ALIKES and random.random() < 0.5 else char for char in text
    )


def latin(text: str) -> str:
    """Undoes `homoglyphs` in a text that was Latin."""
    return "".join(_ORIGINALS.get(char, char) for char in text)


def leet(text: str, _random: Random) -> str:
    """Digits for the letters that they resemble."""
    return "".join(_LEET.get(char.lower(), char) for char in text)


def unleet(text: str) -> str:
    """Undoes `leet` in a text without digits, up to case."""
    return "".join(_UNLEET.get(char, char) for char in text)


def tags(text: str, _random: Random) -> str:
    """ASCII as characters of the Unicode tag block, which no font shows (U+E0020 to U+E007E)."""
    return "".join(chr(_TAGS + ord(char)) if 0x20 <= ord(char) <= 0x7E else char for char in text)


def untagged(text: str) -> str:
    """Undoes `tags`."""
    return "".join(chr(ord(char) - _TAGS) if 0x20 <= ord(char) - _TAGS <= 0x7E else char for char in text)
