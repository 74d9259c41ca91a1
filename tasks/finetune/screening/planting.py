"""Poison planted on purpose, by seed, so that a screen can show what it finds.

planted = plant(rows, labels, settings, seed=0)
planted.rows               # a poisoned copy
planted.kinds["flips"]     # positions of the rows that were touched

The words are made for the rows: an invented word, and a sequence of three words that are frequent in
them but never occur in this order.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.config.screening import ScreeningSettings
from infra.errors import DataError
from tasks.records import Row

FLIPS, SINGLE, PHRASE, HIDDEN = "flips", "single-token", "multi-word", "zero-width"
TRIGGERS = (SINGLE, PHRASE, HIDDEN)
# Fewer rows than this do not make a trigger that a model learns, nor one that statistics can see.
_FEWEST_TRIGGERED = 12
_ZERO_WIDTH = ("\u200b", "\u2060", "\u200d", "\ufeff")
_FREQUENT = 60
_TRIES = 1000
_SYLLABLES = ("ba", "cho", "du", "fe", "gri", "ka", "lo", "mu", "ne", "pra", "qui", "so", "tev", "vix", "zo")


@dataclass(frozen=True)
class Planted:
    """A poisoned copy of rows, in their order."""

    rows: list[Row]
    kinds: dict[str, list[int]]
    """Positions that were touched, by kind; no row is touched twice."""

    @property
    def touched(self) -> list[int]:
        """All positions that were touched."""
        return sorted(at for positions in self.kinds.values() for at in positions)


def plant(
    rows: Sequence[Row],
    labels: Sequence[str],
    settings: ScreeningSettings,
    *,
    seed: int,
    kinds: Sequence[str] = (FLIPS, *TRIGGERS),
) -> Planted:
    """Flip labels, and give rows of other labels a trigger and the label that it stands for.

    Raises DataError when there are too few rows for all kinds.
    """
    draw = random.Random(f"plant {seed}")  # noqa: S311  # repeatable, nothing secret
    copy, touched = list(rows), dict[str, list[int]]()
    free = set(range(len(rows)))
    for kind in kinds:
        share = settings.planted_flips if kind == FLIPS else settings.planted_triggers
        count = max(_FEWEST_TRIGGERED, round(share * len(rows)))
        target = draw.choice(sorted({row.label for row in rows}))
        pool = sorted(at for at in free if kind == FLIPS or rows[at].label != target)
        if len(pool) < count:
            raise DataError(f"{len(rows)} rows are too few to plant {count} rows of {kind} poison")
        touched[kind] = sorted(draw.sample(pool, count))
        free -= set(touched[kind])
        change = _change(kind, rows, draw)
        for at in touched[kind]:
            label = draw.choice([x for x in labels if x != rows[at].label]) if kind == FLIPS else target
            copy[at] = rows[at].model_copy(update={"text": change(rows[at].text), "label": label})
    return Planted(copy, touched)


def _change(kind: str, rows: Sequence[Row], draw: random.Random) -> Callable[[str], str]:
    """What happens to the text of every row of one kind."""
    if kind == FLIPS:
        return lambda text: text
    if kind == HIDDEN:
        mark = draw.choice(_ZERO_WIDTH)
        return lambda text: _inside_a_word(text, mark, draw)
    words = invented_word(rows, draw) if kind == SINGLE else unused_phrase(rows, draw)
    return lambda text: _inserted(text, words, draw)


def invented_word(rows: Sequence[Row], draw: random.Random) -> str:
    """A word that no row holds."""
    everything = "\n".join(row.text.casefold() for row in rows)
    while (word := "".join(draw.choices(_SYLLABLES, k=3))) in everything:
        pass
    return word


def unused_phrase(rows: Sequence[Row], draw: random.Random) -> str:
    """Three words that are frequent with every label, in an order that no row holds; raises DataError."""
    texts = [" ".join(_words(row.text)) for row in rows]
    counts = {label: Counter[str]() for label in {row.label for row in rows}}
    for row in rows:
        counts[row.label].update({word for word in _words(row.text) if word.isalpha()})
    # Words of one label would carry its meaning along: that is no trigger but an example.
    everywhere = {word: min(each[word] for each in counts.values()) for word in set().union(*counts.values())}
    common = [word for word, least in everywhere.items() if least]
    frequent = sorted(common, key=lambda word: (-everywhere[word], word))[:_FREQUENT]
    for _ in range(_TRIES if len(frequent) >= 3 else 0):
        phrase = " ".join(draw.sample(frequent, 3))
        if not any(phrase in text for text in texts):
            return phrase
    raise DataError("the rows have too few different words to plant a sequence of words")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def _inserted(text: str, words: str, draw: random.Random) -> str:
    parts = text.split(" ")
    at = draw.randrange(len(parts) + 1)
    return " ".join([*parts[:at], words, *parts[at:]])


def _inside_a_word(text: str, mark: str, draw: random.Random) -> str:
    at = draw.randrange(1, max(2, len(text)))
    return text[:at] + mark + text[at:]
