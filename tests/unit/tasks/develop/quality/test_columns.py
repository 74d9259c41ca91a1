"""The narrow table: right flags, and nothing in it that a row could have planted."""

import json

import pyarrow as pa
import pytest

from tasks.develop.quality.columns import derive_columns
from tasks.develop.quality.hidden import has_hidden
from tests.unit.tasks.develop.quality.tables import LABELS, row, splits, table

MAIL, SECRET, TEXT = "ann.b@example.org", "AKIAIOSFODNN7EXAMPLE", "a text that nobody may read"


def flags(name: str, *extra: tuple[str | None, ...]) -> list[bool]:
    """The flags of the extra training rows; all good rows must have none."""
    column = derive_columns(splits(*extra), LABELS).column(name).to_pylist()
    usual = name.endswith("_present")
    assert [*column[:10], *column[10 + len(extra) :]] == [usual] * 18
    return column[10 : 10 + len(extra)]


@pytest.mark.parametrize(
    "text", ["a\u200bb", "a\u202eb", "a\U000e0041b", "a\x07b", "\ufeffa", "a\ue000", "a\u3164b"]
)
def test_hidden_characters_are_found(text: str) -> None:
    assert flags("hidden_unicode", row(50, text=text)) == [True]
    assert has_hidden(text)


@pytest.mark.parametrize("text", ["naïve — “quoted” 中文", "tab\tand\nline", "I ❤️ it", "عربي", "x² ≤ 3 €"])
def test_what_shows_is_not_hidden(text: str) -> None:
    assert flags("hidden_unicode", row(50, text=text)) == [False]


@pytest.mark.parametrize("text", [f"write to {MAIL}", "call +49 30 1234567", "card 4111 1111 1111 1111"])
def test_personal_data_are_found(text: str) -> None:
    assert flags("personal_data", row(50, text=text)) == [True]


def test_numbers_and_mentions_are_no_personal_data() -> None:
    rows = [row(50, text="@ user 12345 paid 4111 1111 1111 1112"), row(51, text="version 10.0.0.1")]
    assert flags("personal_data", *rows) == [False, False]


def test_empty_texts_and_absent_licences_and_sources_are_found() -> None:
    rows = [row(50, text=None), row(51, text=" \n"), row(52, licence=None), row(53, source="  ")]
    assert flags("text_null", *rows) == [True, True, False, False]
    assert flags("licence_present", *rows) == [True, True, False, True]
    assert flags("source_present", *rows) == [True, True, True, False]


def test_sizes_are_those_of_the_trimmed_text() -> None:
    found = derive_columns({"train": table([row(0, text="  Two wörds. "), row(1, text=None)])}, LABELS)
    assert found.column("n_chars").to_pylist() == [10, 0]
    assert found.column("n_words").to_pylist() == [2, 0]


def test_a_known_near_duplicate_counts_and_an_unknown_flag_counts_against_the_row() -> None:
    tables = {name: each for name, each in splits().items() if name == "test"}
    given = tables["test"].append_column("near_duplicate", pa.array([True, False, None, False]))
    found = derive_columns({"test": given}, LABELS)
    assert found.column("near_duplicate").to_pylist() == [True, False, True, False]


def test_absent_columns_count_as_nulls() -> None:
    found = derive_columns({"train": pa.table({"text": ["x"]})}, LABELS)
    assert found.column("label").to_pylist() == [None]
    assert found.column("licence_present").to_pylist() == [False]


def test_no_row_at_all_gives_an_empty_table() -> None:
    assert derive_columns({}, LABELS).num_rows == 0
    assert derive_columns({"train": table([])}, LABELS).num_rows == 0


def test_no_cell_gets_into_the_narrow_table() -> None:
    planted = row(50, text=TEXT, label=SECRET, group=MAIL, licence=MAIL, source=SECRET)
    written = json.dumps(derive_columns(splits(planted), LABELS).to_pydict())
    assert "(not allowed)" in written
    for cell in (MAIL, SECRET, TEXT):
        assert cell not in written
