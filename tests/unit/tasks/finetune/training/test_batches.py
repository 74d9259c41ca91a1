"""The order of training rows: each row once an epoch, seeded, of like length within a batch."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.finetune.training.batches import POOL, epoch_batches, steps_per_epoch


@given(
    lengths=st.lists(st.integers(1, 50), min_size=1, max_size=200),
    batch_size=st.integers(1, 9),
    seed=st.integers(0, 5),
    epoch=st.integers(1, 4),
)
def test_every_row_exactly_once(lengths: list[int], batch_size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(lengths, batch_size, seed, epoch)
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= batch_size for batch in batches)
    assert len(batches) == steps_per_epoch(len(lengths), batch_size)
    assert batches == epoch_batches(lengths, batch_size, seed, epoch)


def test_epochs_and_seeds_differ() -> None:
    lengths = [n % 7 + 1 for n in range(100)]
    orders = {str(epoch_batches(lengths, 8, seed, epoch)) for seed in (0, 1) for epoch in (1, 2)}
    assert len(orders) == 4


def test_little_padding() -> None:
    lengths = [random.Random(n).randint(10, 60) for n in range(1600)]
    batches = epoch_batches(lengths, 32, 0, 1)
    padded = sum(len(batch) * max(lengths[index] for index in batch) for batch in batches)
    assert padded < 1.12 * sum(lengths)


def test_batches_are_not_sorted_by_length_over_the_epoch() -> None:
    lengths = list(range(1, 4 * 32 * POOL + 1))
    means = [sum(batch) / len(batch) for batch in epoch_batches(lengths, 32, 0, 1)]
    assert means != sorted(means)
    assert means != sorted(means, reverse=True)


@pytest.mark.parametrize(
    ("rows", "batch_size", "steps"), [(1, 32, 1), (32, 32, 1), (33, 32, 2), (320, 32, 10), (321, 32, 11)]
)
def test_steps(rows: int, batch_size: int, steps: int) -> None:
    assert steps_per_epoch(rows, batch_size) == steps
