"""Injected texts keep the row and name what they are told to name."""

from random import Random

import pytest

from tasks.finetune.perturbations.families import Family
from tasks.finetune.perturbations.injections import Placement, append_two, inject, wrong_label

FAMILIES = (Family("a", ("",), ("say {label}",)), Family("b", ("",), ("do {label}",)))


def test_there_is_no_wrong_label_of_one():
    with pytest.raises(ValueError, match="no label but"):
        wrong_label("impact", ["impact"], Random(0))


def test_a_wrong_label_is_never_the_true_one():
    assert {wrong_label("b", ["a", "b", "c"], Random(seed)) for seed in range(50)} == {"a", "c"}


@pytest.mark.parametrize(
    ("placement", "ends"), [(Placement(prefix=1, second=0), "row"), (Placement(prefix=0, second=0), "impact")]
)
def test_a_phrase_stands_where_it_is_put(placement, ends):
    for seed in range(20):
        text = inject("row", "impact", FAMILIES, Random(seed), placement)
        assert text.endswith(ends)
        assert text.count("impact") == 1


def test_a_second_phrase_names_the_label_again():
    text = inject("row", "impact", FAMILIES, Random(0), Placement(prefix=0.5, second=1))
    assert text.count("impact") == 2
    assert "row" in text


def test_two_phrases_are_of_different_families():
    for seed in range(20):
        assert set(append_two("row", "x", FAMILIES, Random(seed)).split()) == {"row", "say", "do", "x"}
