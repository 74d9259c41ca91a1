"""Sequences of words that several rows share: what a trigger can be made of.

grams("Opens cmd.exe", 2)       # {"opens", "cmd", ".", "exe", "opens cmd", "cmd .", ". exe"}
shared_grams(texts, longest=4, least=5)     # one entry for every distinct set of rows
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tasks.finetune.screening.neighbours import Indices

_TOKEN = re.compile(r"\w+|[^\w\s]+")


@dataclass(frozen=True)
class SharedGram:
    """A word sequence and all rows that hold it."""

    gram: str
    rows: Indices


def grams(text: str, longest: int) -> set[str]:
    """Sequences of 1 … `longest` words or marks, case folded; words with capitals inside also as written."""
    tokens = _TOKEN.findall(text)
    folded = [token.casefold() for token in tokens]
    found = {
        " ".join(folded[start : start + size])
        for size in range(1, longest + 1)
        for start in range(len(folded) - size + 1)
    }
    return found | {token for token in tokens if token[1:] != token[1:].lower()}


def shared_grams(texts: Sequence[str], *, longest: int, least: int) -> list[SharedGram]:
    """Sequences in at least `least` rows; of those in the very same rows only the shortest, sorted."""
    rows_of = defaultdict[str, list[int]](list)
    for row, text in enumerate(texts):
        for gram in grams(text, longest):
            rows_of[gram].append(row)
    shortest: dict[tuple[int, ...], str] = {}
    for gram, rows in _frequent(rows_of, least):
        key = tuple(rows)
        if key not in shortest or (len(gram), gram) < (len(shortest[key]), shortest[key]):
            shortest[key] = gram
    found = [SharedGram(gram, np.array(rows, dtype=np.int64)) for rows, gram in shortest.items()]
    return sorted(found, key=lambda each: each.gram)


def _frequent(rows_of: dict[str, list[int]], least: int) -> Iterator[tuple[str, list[int]]]:
    return ((gram, rows) for gram, rows in rows_of.items() if len(rows) >= least)
