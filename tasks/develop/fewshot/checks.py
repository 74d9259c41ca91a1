"""Why a training row may not be shown: leaks into held-out rows, personal data, secrets, injection.

checks = ExampleChecks(held_out_rows, settings, guard)
checks.refusal(row)             # "injection text", or "" when the row may be shown
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from infra.config.examples import ExampleSettings
from infra.guard import GuardPolicy
from infra.guard.canonicalise import visible
from infra.guard.pii import find_pii
from tasks.records import Row

_WORD = re.compile(r"\w+")


class ExampleChecks:
    """The checks that need no embedding, cheap ones first."""

    def __init__(self, held_out: Sequence[Row], settings: ExampleSettings, guard: GuardPolicy) -> None:
        self.settings, self.guard = settings, guard
        words = [comparable(row.text) for row in held_out]
        self._whole = {" ".join(row) for row in words}
        self._runs = {run for row in words for run in runs(row, settings.shared_words)}
        self._groups = {row.group for row in held_out}

    def refusal(self, row: Row) -> str:
        """The first reason against showing a row; empty when there is none."""
        text = row.text
        if len(text) < self.settings.min_characters:
            return "too short"
        if len(text) > self.settings.max_characters:
            return "too long"
        if row.group in self._groups:
            return "group is held out"
        words = comparable(text)
        if not words or " ".join(words) in self._whole:
            return "whole row is held out"
        if not self._runs.isdisjoint(runs(words, self.settings.shared_words)):
            return "shares a run of words with a held-out row"
        return self._content_refusal(text)

    def _content_refusal(self, text: str) -> str:
        clean = visible(text)
        if clean != text:
            return "hidden characters"
        if find_pii(text):
            return "personal data"
        if self.guard.redactor.find(text):
            return "secret"
        if not self.guard.check_input(text).allowed:
            return "injection text"
        return ""


def comparable(text: str) -> tuple[str, ...]:
    """Words that do not depend on case, width, accents or punctuation."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return tuple(_WORD.findall("".join(char for char in folded if not unicodedata.combining(char))))


def runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    """Every run of `length` words; none of a shorter text, which only its whole row can give away."""
    for start in range(len(words) - length + 1):
        yield tuple(words[start : start + length])
