import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config.data import SplitSettings
from infra.errors import DataError
from tasks.develop.datasets.split import split_rows
from tasks.records import Row

SMALL = SplitSettings(test_per_label=3, validation_per_label=2, train_per_label=5)


def rows_of(label: str, count: int, groups: int = 0) -> list[Row]:
    return [
        Row(text=f"{label} {n}", label=label, group=f"g{n % groups}" if groups else f"{label}-{n}")
        for n in range(count)
    ]


def test_too_few_rows_say_got_and_expected_for_every_short_label() -> None:
    with pytest.raises(DataError, match=r"got 'b' 2, 'c' 3; expected at least 4 each"):
        split_rows(rows_of("a", 20) + rows_of("b", 2) + rows_of("c", 3), SMALL)


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        split_rows([], SMALL)


def test_one_group_cannot_fill_two_splits() -> None:
    with pytest.raises(DataError, match=r"train split: got 'a' 0 rows, expected 1 each: too few separate"):
        split_rows(rows_of("a", 20, groups=1), SMALL)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 5), st.integers(2, 40), st.randoms(use_true_random=False))
def test_no_group_is_in_two_splits_and_order_does_not_matter(
    seed: int, groups: int, shuffler: random.Random
) -> None:
    rows = rows_of("a", 60, groups) + rows_of("b", 30, groups)
    chosen = SplitSettings(test_per_label=3, validation_per_label=2, train_per_label=50, seed=seed)
    try:
        splits = split_rows(rows, chosen)
    except DataError:
        return
    members = [{row.group for row in part} for part in splits.values()]
    assert not members[0] & members[1]
    assert not members[0] & members[2]
    assert not members[1] & members[2]
    assert Counter(row.label for row in splits["test"]) == {"a": 3, "b": 3}
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert split_rows(shuffled, chosen) == splits


def test_limits_hold_and_the_seed_decides() -> None:
    rows = rows_of("a", 60) + rows_of("b", 40)
    first = split_rows(rows, SMALL)
    assert {name: Counter(r.label for r in part) for name, part in first.items()} == {
        "train": {"a": 5, "b": 5},
        "validation": {"a": 2, "b": 2},
        "test": {"a": 3, "b": 3},
    }
    other = split_rows(rows, SMALL.model_copy(update={"seed": 1}))
    assert {row.text for row in other["test"]} != {row.text for row in first["test"]}


def test_a_rare_label_keeps_most_of_its_rest_for_training() -> None:
    splits = split_rows(rows_of("a", 60) + rows_of("rare", 7), SMALL)
    count = {name: sum(r.label == "rare" for r in part) for name, part in splits.items()}
    assert count == {"test": 3, "validation": 1, "train": 3}


def test_one_more_row_moves_no_other_row_out_of_the_test_split() -> None:
    rows = rows_of("a", 60)
    before = {r.text for r in split_rows(rows, SMALL)["test"]}
    after = {r.text for r in split_rows([*rows, Row(text="new", label="a", group="new")], SMALL)["test"]}
    assert len(before & after) >= 2
