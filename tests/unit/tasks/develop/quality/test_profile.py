"""What the report says about lengths, labels and categories."""

import pyarrow as pa
import pytest
from pydantic import ValidationError

from tasks.develop.quality.columns import derive_columns
from tasks.develop.quality.profile import ABSENT, RARE, WITHHELD, category_counts, profile_rows
from tasks.records.quality import Histogram, Overlap
from tests.unit.tasks.develop.quality.tables import LABELS, row, splits, table


def categories(**values: int) -> dict[str, int]:
    cells = [value for value, rows in values.items() for _ in range(rows)]
    return category_counts(pa.chunked_array([pa.array(cells, pa.large_string())]))


def test_every_row_is_in_one_bin_of_its_split_and_of_its_label() -> None:
    tables = splits(row(50, text="x" * 500), row(51, label="z"), row(52, label=None))
    profiles, by_label = profile_rows(tables, derive_columns(tables, LABELS), LABELS)
    for name, profile in profiles.items():
        assert sum(profile.characters.histogram.counts) == tables[name].num_rows
        assert sum(profile.words.histogram.counts) == tables[name].num_rows
    assert profiles["train"].labels == {"a": 6, "b": 5}
    assert profiles["train"].unknown_labels == 2
    assert profiles["validation"].groups == 2
    assert profiles["train"].characters.most == 500
    assert {label: sum(each.histogram.counts) for label, each in by_label.items()} == {"a": 10, "b": 9}


def test_medians_are_values_that_occur() -> None:
    rows = [row(n, text="x" * size) for n, size in enumerate((1, 2, 3, 100))]
    profiles, _ = profile_rows({"train": table(rows)}, derive_columns({"train": table(rows)}, LABELS), LABELS)
    found = profiles["train"].characters
    assert (found.median, found.p95, found.most) == (2, 100, 100)


def test_no_rows_have_a_profile_too() -> None:
    profiles, by_label = profile_rows(
        {"train": table([])}, derive_columns({"train": table([])}, LABELS), LABELS
    )
    assert profiles["train"].characters.most == 0
    assert sum(by_label["a"].histogram.counts) == 0


def test_common_values_are_named_most_first() -> None:
    assert categories(**{"CC-BY-4.0": 5, "made up, 2024": 9}) == {"made up, 2024": 9, "CC-BY-4.0": 5}


@pytest.mark.parametrize(
    "value", ["ann@example.org", "AKIAIOSFODNN7EXAMPLE", "x" * 121, "a\nb", "sk-abcDEF123456abcdef1234567890"]
)
def test_what_may_be_someones_data_is_not_named(value: str) -> None:
    assert categories(**{value: 9, "CC0-1.0": 8}) == {WITHHELD: 9, "CC0-1.0": 8}


def test_rare_values_are_counted_together_and_blanks_as_none() -> None:
    assert categories(**{"only four rows": 4, "me too": 1, " ": 2, "CC0-1.0": 6}) == {
        "CC0-1.0": 6,
        RARE: 5,
        ABSENT: 2,
    }


def test_many_values_are_cut_off_without_losing_rows() -> None:
    found = categories(**{f"licence {n}": 5 for n in range(40)})
    assert len(found) == 21
    assert sum(found.values()) == 200


@pytest.mark.parametrize(("edges", "counts"), [((0,), ()), ((0, 1), ()), ((0, 1, 1), (1, 1)), ((2, 1), (1,))])
def test_impossible_histograms_are_refused(edges: tuple[int, ...], counts: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        Histogram(edges=edges, counts=counts)


def test_contradictory_overlap_is_refused() -> None:
    with pytest.raises(ValidationError):
        Overlap(run_words=8, evaluation_rows=3, whole_rows=2, contaminated=1)
    with pytest.raises(ValidationError):
        Overlap(run_words=8, evaluation_rows=3, whole_rows=2, contaminated=4)
