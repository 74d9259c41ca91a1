"""Texts that differ in nothing but a name, a gender, a country or a way of writing: one block each.

blocks = build_blocks(["Emotet sends mail."], lists, rows=60, seed=0)
blocks[0].texts            # {"female": "She reported: Emotet sends mail.", "male": "He reported: …"}
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tasks.validate.fairness.lists import Lists, Pairs, fill
from tasks.validate.fairness.swaps import carries, swap_words, written_as

GENDER, ORIGIN, NATIONALITY = "gender", "name origin", "nationality"
VARIETY, SPELLING = "language variety", "spelling"
_GENDERS = ("female", "male")


@dataclass(frozen=True)
class Block:
    """One row's texts in one dimension: one for every group, so groups compare on equal rows."""

    dimension: str
    row: int
    texts: dict[str, str]
    carried: bool
    """True: the row itself carries such a word, which was swapped; False: words were added to all."""


Build = Callable[[str, Random], tuple[dict[str, str], bool]]


def build_blocks(texts: Sequence[str], lists: Lists, *, rows: int, seed: int) -> list[Block]:
    """At most `rows` blocks in each dimension, the same for the same texts and seed.

    Rows that carry a word of the dimension come first, then those that no other dimension uses yet.
    """
    order = sorted(range(len(texts)), key=lambda at: _random(seed, "order", texts[at]).random())
    used: Counter[int] = Counter()
    blocks = []
    for dimension, build in _dimensions(lists).items():
        made = {at: build(texts[at], _random(seed, dimension, texts[at])) for at in order}
        changing = [at for at in order if len(set(made[at][0].values())) > 1]
        chosen = sorted(changing, key=lambda at: (not made[at][1], used[at]))[:rows]
        used.update(chosen)
        blocks += [Block(dimension, at, *made[at]) for at in sorted(chosen)]
    return blocks


def _dimensions(lists: Lists) -> dict[str, Build]:
    return {
        GENDER: lambda text, random: _gender(text, random, lists),
        ORIGIN: lambda text, random: _origin(text, random, lists),
        NATIONALITY: lambda text, random: _nationality(text, random, lists),
        VARIETY: lambda text, _: _variety(text, lists),
        SPELLING: lambda text, random: _pairs(text, random, lists.varieties.spelling),
    }


def _gender(text: str, random: Random, lists: Lists) -> tuple[dict[str, str], bool]:
    """Words of gender and given names by turns; the two names are as common in the same place."""
    texts, carried = _pairs(text, random, lists.gender)
    if carried or random.random() < 0.5 or set(lists.gender.templates) != set(_GENDERS):
        return texts, carried
    group = lists.names.groups[random.choice(sorted(lists.names.groups))]
    at, template = random.randrange(len(group.female)), random.choice(lists.names.templates)
    named = zip(_GENDERS, (group.female[at], group.male[at]), strict=True)
    return {gender: fill(template, {"name": name, "text": text}) for gender, name in named}, False


def _origin(text: str, random: Random, lists: Lists) -> tuple[dict[str, str], bool]:
    names, gender = lists.names, random.choice(_GENDERS)
    by_group = {group: getattr(each, gender) for group, each in names.groups.items()}
    every = {name for each in names.groups.values() for name in (*each.female, *each.male)}
    at, template = random.randrange(len(next(iter(by_group.values())))), random.choice(names.templates)
    if carries(text, every):
        return {
            group: swap_words(text, dict.fromkeys(every, some[at])) for group, some in by_group.items()
        }, True
    return {
        group: fill(template, {"name": some[at], "text": text}) for group, some in by_group.items()
    }, False


def _nationality(text: str, random: Random, lists: Lists) -> tuple[dict[str, str], bool]:
    places, template = lists.places, random.choice(lists.places.templates)
    every = [*places.groups.values(), *places.also]
    if carries(text, {words for place in every for words in (place.country, place.demonym)}):
        return {
            group: swap_words(
                text,
                {place.country: own.country for place in every}
                | {place.demonym: own.demonym for place in every},
            )
            for group, own in places.groups.items()
        }, True
    return {
        group: fill(template, {"country": own.country, "demonym": own.demonym, "text": text})
        for group, own in places.groups.items()
    }, False


def _variety(text: str, lists: Lists) -> tuple[dict[str, str], bool]:
    varieties = lists.varieties.varieties
    written = {name: written_as(text, variety) for name, variety in varieties.items()}
    return {lists.varieties.standard: text, **written}, all(each != text for each in written.values())


def _pairs(text: str, random: Random, pairs: Pairs) -> tuple[dict[str, str], bool]:
    at = random.randrange(len(next(iter(pairs.templates.values()))))
    words = {word for swap in pairs.swaps for word in swap.values()}
    if carries(text, words) and not carries(text, pairs.ambiguous):
        to = {
            group: {other: swap[group] for swap in pairs.swaps for other in swap.values()}
            for group in pairs.templates
        }
        return {group: swap_words(text, counterparts) for group, counterparts in to.items()}, True
    return {group: fill(some[at], {"text": text}) for group, some in pairs.templates.items()}, False


def _random(seed: int, purpose: str, text: str) -> Random:
    return Random(f"{seed}:{purpose}:{text}")  # noqa: S311  # reproducible texts, no secret
