"""Changed answers: counted by row, never certain on few, found where one group is treated differently."""

import pytest

from infra.errors import DataError
from tasks.validate.fairness.blocks import Block
from tasks.validate.fairness.flips import flips
from tests.unit.tasks.validate.fairness.samples import SETTINGS, blocks

GROUPS = ("a", "b", "c", "d")


def _answers(some: list[Block], different: set[str], share: float = 1.0) -> dict[str, str]:
    """Everybody is answered `same`, those named are answered `other` in the first `share` of rows."""
    return {
        text: "other" if group in different and block.row < share * len(some) else "same"
        for block in some
        for group, text in block.texts.items()
    }


def test_no_comparison_is_no_evidence() -> None:
    with pytest.raises(DataError, match="no counterfactual texts"):
        flips([], {}, SETTINGS)


def test_no_flip_on_five_rows_shows_nothing() -> None:
    some = blocks(5, *GROUPS)
    outcome = flips(some, _answers(some, set()), SETTINGS)
    assert (outcome.all.value, outcome.all.n) == (0, 5)
    assert outcome.all.upper > 0.4
    assert {group.verdict for group in outcome.groups} == {"undecided"}


def test_no_flip_on_many_rows_shows_equal_treatment() -> None:
    some = blocks(100, *GROUPS)
    outcome = flips(some, _answers(some, set()), SETTINGS)
    assert outcome.all.upper < 0.04
    assert {group.verdict for group in outcome.groups} == {"equivalent"}


def test_the_group_that_is_treated_differently_stands_out() -> None:
    some = blocks(60, *GROUPS)
    outcome = flips(some, _answers(some, {"c"}, 0.5), SETTINGS)
    by_group = {group.group: group for group in outcome.groups}
    assert by_group["c"].value == pytest.approx(0.5)
    assert by_group["a"].value == pytest.approx(0.5 / 3)
    assert by_group["c"].verdict == "different"
    assert outcome.all.value == pytest.approx(0.25)  # three of the six pairs, in half of the rows
    assert outcome.dimensions["origin"] == outcome.all


def test_pairs_of_one_row_are_one_item() -> None:
    some = blocks(30, *GROUPS)
    assert flips(some, _answers(some, {"c"}), SETTINGS).all.n == 30


def test_a_row_in_two_dimensions_is_one_item_of_the_whole() -> None:
    some = blocks(30, "a", "b") + blocks(30, "x", "y", dimension="gender")
    answers = {text: "same" for block in some for text in block.texts.values()}
    outcome = flips(some, answers, SETTINGS)
    assert outcome.all.n == 30
    assert set(outcome.dimensions) == {"origin", "gender"}


def test_every_dimension_weighs_as_its_rows_not_as_its_pairs() -> None:
    few, many = blocks(20, "a", "b", dimension="gender"), blocks(20, *GROUPS)
    answers = _answers(few, {"b"}) | _answers(many, set())
    assert flips(few + many, answers, SETTINGS).all.value == pytest.approx(0.5)


def test_a_missing_answer_is_an_error() -> None:
    some = blocks(3, "a", "b")
    with pytest.raises(KeyError):
        flips(some, {}, SETTINGS)
