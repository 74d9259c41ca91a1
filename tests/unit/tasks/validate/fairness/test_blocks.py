"""Blocks: texts that differ in the group alone, reproducibly."""

from collections import Counter

from tasks.validate.fairness.blocks import (
    GENDER,
    NATIONALITY,
    ORIGIN,
    SPELLING,
    VARIETY,
    Block,
    build_blocks,
)
from tests.unit.tasks.validate.fairness.samples import lists, rows

LISTS = lists()


def _blocks(texts: list[str], most: int = 60, seed: int = 0) -> list[Block]:
    return build_blocks(texts, LISTS, rows=most, seed=seed)


def _of(blocks: list[Block], dimension: str) -> list[Block]:
    return [block for block in blocks if block.dimension == dimension]


def test_every_dimension_has_as_many_rows_and_every_group_in_each() -> None:
    blocks = _blocks([row.text for row in rows(100)], 20)
    assert Counter(block.dimension for block in blocks) == dict.fromkeys(
        (GENDER, ORIGIN, NATIONALITY, VARIETY, SPELLING), 20
    )
    for dimension in (GENDER, ORIGIN, NATIONALITY, VARIETY, SPELLING):
        assert len({tuple(block.texts) for block in _of(blocks, dimension)}) == 1
    assert (
        len({block.row for block in blocks}) == 100
    )  # five times twenty: no row twice while some are unused


def test_the_group_is_all_that_differs() -> None:
    names = LISTS.names.groups
    for block in _of(_blocks([row.text for row in rows(40)]), ORIGIN):
        rest = set()
        for group, text in block.texts.items():
            named = [name for name in (*names[group].female, *names[group].male) if name in text]
            assert len(named) == 1
            rest.add(text.replace(named[0], "NAME"))
        assert len(rest) == 1


def test_names_of_one_block_have_one_gender() -> None:
    for block in _of(_blocks([row.text for row in rows(40)]), ORIGIN):
        genders = {
            gender
            for group, text in block.texts.items()
            for gender in ("female", "male")
            for name in getattr(LISTS.names.groups[group], gender)
            if name in text
        }
        assert len(genders) == 1


def test_a_row_with_a_country_is_swapped_and_nothing_is_added() -> None:
    (block,) = _of(_blocks(["A North Korean group attacked Iran."]), NATIONALITY)
    assert block.carried
    assert block.texts["Nigeria"] == "A Nigerian group attacked Nigeria."


def test_a_row_with_gendered_words_is_swapped() -> None:
    (block,) = _of(_blocks(["She sent mail herself."]), GENDER)
    assert block.texts == {"female": "She sent mail herself.", "male": "He sent mail himself."}


def test_an_ambiguous_word_is_left_alone() -> None:
    (block,) = _of(_blocks(["She sent her mail."]), GENDER)
    assert not block.carried
    assert all("She sent her mail." in text for text in block.texts.values())


def test_rows_that_carry_a_word_come_first() -> None:
    texts = [row.text for row in rows(50)] + ["A Russian group reads mail."]
    (block,) = _of(_blocks(texts, 1), NATIONALITY)
    assert block.row == 50


def test_a_seed_decides_everything() -> None:
    texts = [row.text for row in rows(30)]
    assert _blocks(texts, 10) == _blocks(texts, 10)
    assert _blocks(texts, 10) != _blocks(texts, 10, seed=1)


def test_few_rows_are_used_in_every_dimension() -> None:
    assert Counter(block.dimension for block in _blocks(["The tool reads a file."])) == dict.fromkeys(
        (GENDER, ORIGIN, NATIONALITY, VARIETY, SPELLING), 1
    )


def test_a_text_that_no_rule_changes_is_not_compared_with_itself() -> None:
    assert _of(_blocks(["x"]), VARIETY) == []
