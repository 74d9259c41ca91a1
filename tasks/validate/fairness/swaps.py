"""Words replaced by their counterparts, as whole words and with their capitals.

swap_words("She saw herself.", {"she": "he", "herself": "himself"})     # "He saw himself."
"""

import re
from collections.abc import Collection, Mapping

from tasks.validate.fairness.lists import Variety


def swap_words(text: str, counterparts: Mapping[str, str]) -> str:
    """Every listed word (or words) replaced, the longest first, in one pass; capitals are kept."""
    if not counterparts:
        return text
    lower = {word.lower(): other for word, other in counterparts.items()}
    return _pattern(lower).sub(lambda found: _as_written(found[0], lower[found[0].lower()]), text)


def carries(text: str, words: Collection[str]) -> bool:
    """Whether a text holds one of the words as a whole word, in any capitals."""
    return bool(words) and _pattern(words).search(text) is not None


def written_as(text: str, variety: Variety) -> str:
    """The text in another way of writing: words replaced, words dropped, first letter, final stop."""
    text = swap_words(text, variety.replace)
    if variety.drop:
        # With the blank behind it; a text of dropped words alone stays as it is.
        without = re.sub(rf"{_pattern(variety.drop).pattern}\s+", "", text, flags=re.IGNORECASE)
        text = without if without.strip() else text
    if variety.lower_first and text[1:2].islower():  # APT29 stays APT29
        text = text[0].lower() + text[1:]
    if variety.drop_final_stop and text.endswith(".") and len(text) > 1:
        text = text[:-1]
    return text


def _pattern(words: Collection[str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def _as_written(found: str, replacement: str) -> str:
    if found.isupper() and len(found) > 1:
        return replacement.upper()
    if found[:1].isupper():
        return replacement[:1].upper() + replacement[1:]
    return replacement
