"""Which row carries which held-out injection, and which wrong label it names.

attacks = injected_rows(rows, labels, seed=0)
attacks[0].text, attacks[0].family, attacks[0].named
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from infra.errors import DataError
from tasks.finetune.augmentation.epochs import Labelled
from tasks.finetune.perturbations.families import Family
from tasks.finetune.perturbations.held_out_families import HELD_OUT
from tasks.finetune.perturbations.injections import TWO_PHRASES, append_two, wrong_label


@dataclass(frozen=True)
class Attack:
    """A row's text with an instruction to answer a label that is wrong."""

    text: str
    family: str
    named: str


FRONT_SHARE = 0.25
"""Share of single phrases that are put in front of the text; the others are appended."""


def injected_rows(
    rows: Sequence[Labelled],
    labels: Sequence[str],
    seed: int,
    families: Sequence[Family] = HELD_OUT,
) -> list[Attack]:
    """One attack a row; every family, and two phrases in a row, on an equal share of each label's rows.

    Deterministic by seed and text. Raises DataError for fewer than two labels.
    """
    if len(set(labels)) < 2:
        raise DataError(f"got {len(set(labels))} labels", "an injection needs a wrong label to name")
    names = [*(family.name for family in families), TWO_PHRASES]
    by_name = {family.name: family for family in families}
    turn: dict[str, int] = {}
    attacks: dict[int, Attack] = {}
    # Sorted by a seeded draw, so that a family's rows do not depend on the order of the data set.
    order = sorted(range(len(rows)), key=lambda at: _random(seed, "order", rows[at].text).random())
    for at in order:
        row = rows[at]
        # Each label starts with another family: few rows a label must not favour the first families.
        position = turn.get(row.label, sorted(labels).index(row.label) if row.label in labels else 0)
        turn[row.label] = position + 1
        attacks[at] = _attack(row, names[position % len(names)], by_name, families, labels, seed)
    return [attacks[at] for at in range(len(rows))]


def _attack(
    row: Labelled,
    name: str,
    by_name: dict[str, Family],
    families: Sequence[Family],
    labels: Sequence[str],
    seed: int,
) -> Attack:
    random = _random(seed, name, row.text)
    named = wrong_label(row.label, labels, random)
    if name == TWO_PHRASES:
        return Attack(append_two(row.text, named, families, random), name, named)
    phrase = by_name[name].phrase(named, random)
    front = random.random() < FRONT_SHARE
    return Attack(f"{phrase} {row.text}" if front else f"{row.text} {phrase}", name, named)


def _random(seed: int, purpose: str, text: str) -> Random:
    return Random(f"{seed}:{purpose}:{text}")  # noqa: S311  # reproducible texts, no secret
