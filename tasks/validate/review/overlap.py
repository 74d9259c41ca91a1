"""Evaluation rows that training has seen, counted a second time by other code: plain sets of words in a row.

overlap = recount(training_texts, evaluation_texts)      # overlap.whole, overlap.shared: row numbers

The definition is that of the data set's own report (same words, or eight words in a row; case, spacing and
punctuation make no difference), the implementation is not: neither hashes nor the preparation's stages.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

RUN_WORDS = 8


@dataclass(frozen=True)
class Recount:
    """Numbers of evaluation rows."""

    whole: frozenset[int]
    """The very text of a training row."""
    shared: frozenset[int]
    """The words of a training row, or a run of eight from one; those of `whole` are among them."""


def recount(training: Iterable[str], evaluation: Sequence[str]) -> Recount:
    """Pure; memory grows with the training words. A row without words is not compared."""
    texts, rows, runs = set[str](), set[tuple[str, ...]](), set[tuple[str, ...]]()
    for text in training:
        words = tuple(words_of(text))
        texts.add(text)
        rows.add(words)
        runs.update(_runs(words))
    rows.discard(())
    whole, shared = set(), set()
    for number, text in enumerate(evaluation):
        words = tuple(words_of(text))
        if not words:
            continue
        if text in texts:
            whole.add(number)
        if text in texts or words in rows or any(run in runs for run in _runs(words)):
            shared.add(number)
    return Recount(frozenset(whole), frozenset(shared))


def words_of(text: str) -> list[str]:
    """Runs of letters, marks and digits in lower case; NFKC, format characters dropped."""
    return "".join(map(_folded, unicodedata.normalize("NFKC", text).lower())).split()


@lru_cache(maxsize=65536)
def _folded(char: str) -> str:
    category = unicodedata.category(char)
    return "" if category == "Cf" else char if category[0] in "LMN" else " "


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    return (words[start : start + RUN_WORDS] for start in range(len(words) - RUN_WORDS + 1))
