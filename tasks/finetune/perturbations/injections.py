"""A text with an instruction in it that names a label: appended, put in front, or both.

inject("Emotet sends mail.", "impact", TRAINING, random.Random(0))
held_out("Emotet sends mail.", "literal", "impact", seed=0)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tasks.finetune.perturbations.families import Family

_SEPARATORS = (" ", " ", " ", "\n", "\n\n", " - ", " | ")


@dataclass(frozen=True)
class Placement:
    """How often phrases are put in front, and how often a second one is added."""

    prefix: float = 0.3
    second: float = 0.15


TWO_PHRASES = "two-phrases"
"""Name under which texts with two appended phrases are reported."""


def inject(
    text: str, label: str, families: Sequence[Family], random: Random, placement: Placement = Placement()
) -> str:
    """`text` with one phrase, now and then two, of these families."""
    out = _placed(text, random.choice(families).phrase(label, random), random, placement)
    if random.random() < placement.second:
        out = _placed(out, random.choice(families).phrase(label, random), random, placement)
    return out


def append_phrase(text: str, label: str, family: Family, random: Random) -> str:
    """`text`, a space, and one phrase of the family."""
    return f"{text} {family.phrase(label, random)}"


def append_two(text: str, label: str, families: Sequence[Family], random: Random) -> str:
    """`text` and two phrases of different families, one after the other."""
    first, second = random.sample(list(families), 2)
    return append_phrase(append_phrase(text, label, first, random), label, second, random)


def wrong_label(truth: str, labels: Sequence[str], random: Random) -> str:
    """Any label but the true one. Raises ValueError when there is no other."""
    others = [label for label in labels if label != truth]
    if not others:
        raise ValueError(f"no label but {truth!r} to answer wrongly with")
    return random.choice(others)


def _placed(text: str, phrase: str, random: Random, placement: Placement) -> str:
    separator = random.choice(_SEPARATORS)
    front = random.random() < placement.prefix
    return f"{phrase}{separator}{text}" if front else f"{text}{separator}{phrase}"
