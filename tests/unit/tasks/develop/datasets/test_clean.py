import pytest

from infra.errors import DataError
from tasks.develop.datasets.clean import clean_rows, refuse_leaks
from tasks.records import Row


def row(text: str, label: str = "a", group: str = "g") -> Row:
    return Row(text=text, label=label, group=group)


def test_contradictions_are_dropped_altogether() -> None:
    kept, dropped = clean_rows([row("Same text"), row("same  TEXT", "b"), row("other")], 100)
    assert [r.text for r in kept] == ["other"]
    assert dropped == {"same text with several labels": 2}


def test_duplicates_overlong_and_blank_texts_are_counted() -> None:
    kept, dropped = clean_rows([row("x" * 11), row(" \u00a0 "), row("one"), row("One "), row("one")], 10)
    assert len(kept) == 1
    assert dropped == {"duplicate": 2, "empty text": 1, "longer than 10 characters": 1}


def test_texts_are_brought_to_one_form() -> None:
    kept, _ = clean_rows([row("  A\u0301\n\tb  ")], 100)
    assert kept[0].text == "Á b"


def test_the_copy_that_stays_does_not_depend_on_order() -> None:
    copies = [row("same", group="b"), row("same", group="a"), row("z"), row("y")]
    assert clean_rows(copies, 100) == clean_rows(copies[::-1], 100)
    assert clean_rows(copies, 100)[0][0].group == "a"


def test_a_text_in_two_splits_is_refused() -> None:
    with pytest.raises(DataError, match="test row 1: its text is in the train split too"):
        refuse_leaks({"train": [row("A  b", group="1")], "test": [row("a b", group="2")]})


def test_a_group_in_two_splits_is_refused() -> None:
    with pytest.raises(DataError, match="test row 2: group 'g' is in the train split too"):
        refuse_leaks({"train": [row("a")], "test": [row("b", group="h"), row("c")]})
