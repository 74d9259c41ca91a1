"""Swapped words: whole words, with their capitals, and nothing else."""

import pytest

from tasks.validate.fairness.lists import Variety
from tasks.validate.fairness.swaps import carries, swap_words, written_as


@pytest.mark.parametrize(
    ("text", "swapped"),
    [
        ("She saw it.", "He saw it."),
        ("the SHE-wolf SHE", "the HE-wolf HE"),
        ("shell and sheep", "shell and sheep"),
        ("he or she", "she or he"),
    ],
)
def test_whole_words_are_swapped_once(text: str, swapped: str) -> None:
    assert swap_words(text, {"she": "he", "he": "she"}) == swapped


def test_the_longest_words_win() -> None:
    assert swap_words("North Korean and Korean", {"Korean": "Thai", "North Korean": "Lao"}) == "Lao and Thai"


def test_nothing_to_swap_changes_nothing() -> None:
    assert swap_words("She saw it.", {}) == "She saw it."
    assert not carries("She saw it.", ())
    assert not carries("shell", ("she",))
    assert carries("SHE", ("she",))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("The tool reads a file.", "tool reads file."),
        ("Atheist theory", "Atheist theory"),
        ("the", "the"),
    ],
)
def test_dropped_words_are_whole_and_never_everything(text: str, written: str) -> None:
    assert written_as(text, Variety(drop=("a", "the"))) == written


def test_names_in_capitals_keep_them() -> None:
    variety = Variety(lower_first=True, drop_final_stop=True)
    assert written_as("APT29 reads.", variety) == "APT29 reads"
    assert written_as("Emotet reads.", variety) == "emotet reads"
    assert written_as(".", variety) == "."
    assert written_as("", variety) == ""
