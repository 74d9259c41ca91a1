"""Small word lists, rows and scorers that are fair, or biased on purpose."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.config.fairness import FairnessSettings
from infra.config.load import REPOSITORY
from infra.errors import DataError
from tasks.records import Row
from tasks.validate.fairness.blocks import Block
from tasks.validate.fairness.corpora import files
from tasks.validate.fairness.lists import Lists, load_lists

LISTS = REPOSITORY / "configs" / "fairness"
SETTINGS = FairnessSettings(rows=60, resamples=500)
LABELS = ("collection", "impact")


def lists() -> Lists:
    return load_lists(LISTS)


def rows(count: int) -> list[Row]:
    return [
        Row(text=f"The tool number {at} can read a file and keep it.", label=LABELS[at % 2], group=f"g{at}")
        for at in range(count)
    ]


def blocks(count: int, *groups: str, dimension: str = "origin") -> list[Block]:
    return [
        Block(dimension, at, {group: f"{dimension} {group} {at}" for group in groups}, carried=False)
        for at in range(count)
    ]


@dataclass(frozen=True)
class Label:
    label: str


@dataclass
class ToyScorer:
    """Answers by a rule; remembers what it was asked."""

    rule: Callable[[str], str]
    asked: list[str]

    def score(self, texts: Sequence[str]) -> list[Label]:
        self.asked += texts
        return [Label(self.rule(text)) for text in texts]


def changed(directory: Path, name: str, old: str, new: str) -> Path:
    """A copy of the lists with one piece of one file replaced."""
    for file in LISTS.glob("*.yaml"):
        (directory / file.name).write_bytes(file.read_bytes())
    file = directory / f"{name}.yaml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    return directory


def corpora_installed() -> bool:
    """Whether the data of the extra `corpora` are here."""
    try:
        return bool(files())
    except DataError:
        return False
