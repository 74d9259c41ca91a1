import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config.data import SplitSettings
from infra.errors import DataError
from tasks.develop.datasets.balance import balance_table
from tasks.develop.datasets.split import SPLITS, split_table
from tests.unit.tasks.develop.datasets.samples import Cells, table

SMALL = SplitSettings(test_per_label=3, validation_per_label=2, train_per_label=5)


def rows_of(label: str, count: int, groups: int = 0) -> list[Cells]:
    return [(f"{label} {n}", label, f"g{n % groups}" if groups else f"{label}-{n}") for n in range(count)]


def divide(rows: list[Cells], chosen: SplitSettings, **columns: list[str]) -> dict[str, list[dict[str, Any]]]:
    found = split_table(table(rows, **columns), chosen).table
    found = balance_table(found, chosen, 1 if columns else chosen.test_per_label).table
    return {split: [row for row in found.to_pylist() if row["split"] == split] for split in SPLITS}


def labels(rows: list[dict[str, Any]]) -> dict[str, int]:
    return dict(Counter(row["label"] for row in rows))


def test_too_few_rows_say_got_and_expected_for_every_short_label() -> None:
    with pytest.raises(DataError, match=r"got 'b' 2, 'c' 3; expected at least 4 each"):
        divide(rows_of("a", 20) + rows_of("b", 2) + rows_of("c", 3), SMALL)


def test_one_group_cannot_fill_two_splits() -> None:
    with pytest.raises(DataError, match=r"train split: got 'a' 0 rows, expected 1 each: too few separate"):
        divide(rows_of("a", 20, groups=1), SMALL)


@settings(max_examples=25)
@given(st.integers(0, 5), st.integers(2, 40), st.randoms(use_true_random=False))
def test_no_group_is_in_two_splits_and_order_does_not_matter(
    seed: int, groups: int, shuffler: random.Random
) -> None:
    rows = rows_of("a", 60, groups) + rows_of("b", 30, groups)
    chosen = SplitSettings(test_per_label=3, validation_per_label=2, train_per_label=50, seed=seed)
    try:
        splits = divide(rows, chosen)
    except DataError:
        return
    members = [{row["group"] for row in part} for part in splits.values()]
    assert not members[0] & members[1]
    assert not members[0] & members[2]
    assert not members[1] & members[2]
    assert labels(splits["test"]) == {"a": 3, "b": 3}
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    assert divide(shuffled, chosen) == splits


def test_limits_hold_and_the_seed_decides() -> None:
    rows = rows_of("a", 60) + rows_of("b", 40)
    first = divide(rows, SMALL)
    assert {name: labels(part) for name, part in first.items()} == {
        "train": {"a": 5, "b": 5},
        "validation": {"a": 2, "b": 2},
        "test": {"a": 3, "b": 3},
    }
    other = divide(rows, SMALL.model_copy(update={"seed": 1}))
    assert {row["text"] for row in other["test"]} != {row["text"] for row in first["test"]}


def test_a_rare_label_keeps_most_of_its_rest_for_training() -> None:
    splits = divide(rows_of("a", 60) + rows_of("rare", 7), SMALL)
    assert {name: labels(part)["rare"] for name, part in splits.items()} == {
        "test": 3,
        "validation": 1,
        "train": 3,
    }


def test_one_more_row_moves_no_other_row_out_of_the_test_split() -> None:
    rows = rows_of("a", 60)
    before = {row["text"] for row in divide(rows, SMALL)["test"]}
    after = {row["text"] for row in divide([*rows, ("new", "a", "new")], SMALL)["test"]}
    assert len(before & after) >= 2


def test_every_row_is_somewhere_or_counted() -> None:
    rows = table(rows_of("a", 60, groups=7))
    outcome = split_table(rows, SMALL)
    assert outcome.table.num_rows + sum(outcome.dropped.values()) == 60


def test_published_splits_are_kept_and_validation_is_taken_from_training() -> None:
    rows = rows_of("a", 20) + rows_of("b", 20)
    split = ["test" if n % 5 == 0 else "Train" for n in range(40)]
    splits = divide(rows, SMALL, split=split)
    assert {row["text"] for row in splits["test"]} == {
        cells[0] for cells, name in zip(rows, split, strict=True) if name == "test"
    }
    assert labels(splits["validation"]) == {"a": 2, "b": 2}
    assert not {row["group"] for row in splits["validation"]} & {row["group"] for row in splits["train"]}


def test_published_rows_without_a_test_split_are_refused() -> None:
    with pytest.raises(DataError, match="no row of test"):
        divide(rows_of("a", 20), SMALL, split=["train"] * 20)
