"""Words spelt as they sound: rules of confusion, no word list.

misspellings("It receives commands.", random.Random(0))     # "It recieves comands."

The rules are what English spelling guides warn of: ie and ei, single and double consonants, endings that
sound alike, silent letters, vowels without stress.
"""

import re
from random import Random

RATE = 0.35
"""Share of the words of four letters and more that are misspelt."""

_WORD = re.compile(r"[A-Za-z]{4,}")
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"ie", "ei"),
        (r"ei", "ie"),
        (r"ance\b", "ence"),
        (r"ence\b", "ance"),
        (r"ent\b", "ant"),
        (r"ant\b", "ent"),
        (r"able\b", "ible"),
        (r"ible\b", "able"),
        (r"tion", "sion"),
        (r"sion", "tion"),
        (r"ally\b", "aly"),
        (r"er\b", "or"),
        (r"or\b", "er"),
        (r"ph", "f"),
        (r"ck", "k"),
        (r"qu", "kw"),
        (r"wh", "w"),
        (r"ght", "gth"),
        (r"c(?=[eiy])", "s"),
        (r"(?<=[aeiou])s(?=[aeiou])", "z"),
        (r"([bcdfglmnprst])\1", r"\1"),
        (r"(?<=[aeiou])([bdfglmnprt])(?=[aeiou])", r"\1\1"),
        (r"(?<=[a-z])e(?=d\b|s\b|ment\b)", ""),
        (r"(?<=[b-df-hj-np-tv-z])a(?=[b-df-hj-np-tv-z])", "e"),
        (r"(?<=[b-df-hj-np-tv-z])e(?=[b-df-hj-np-tv-z])", "i"),
        (r"(?<=[b-df-hj-np-tv-z])i(?=[b-df-hj-np-tv-z])", "e"),
        (r"(?<=[b-df-hj-np-tv-z])y\b", "ie"),
    )
)


def misspellings(text: str, random: Random, rate: float = RATE) -> str:
    """`text` with about `rate` of its longer words misspelt, each by one rule at one place."""
    return _WORD.sub(lambda found: _misspelt(found[0], random) if random.random() < rate else found[0], text)


def _misspelt(word: str, random: Random) -> str:
    places = [(rule, found) for rule in _RULES for found in rule[0].finditer(word, 1)]
    if not places:
        return word
    (_, replacement), found = random.choice(places)
    return word[: found.start()] + found.expand(replacement) + word[found.end() :]
