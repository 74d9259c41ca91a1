"""Neighbours, shared word sequences, floods: the pieces of the screen."""

import numpy as np
import pytest

from infra.errors import DataError
from tasks.finetune.screening.floods import find_floods
from tasks.finetune.screening.grams import grams, shared_grams
from tasks.finetune.screening.neighbours import agreement, nearest
from tasks.finetune.screening.planting import FLIPS, plant
from tests.unit.tasks.finetune.screening.samples import LABELS, SETTINGS, make_rows


def test_no_row_is_its_own_neighbour() -> None:
    vectors = np.eye(5, dtype=np.float32)
    near = nearest(vectors, 99)
    assert near.shape == (5, 4)
    assert all(row not in near[row] for row in range(5))


def test_neighbours_are_sorted_by_similarity_across_blocks() -> None:
    draw = np.random.default_rng(0)
    vectors = draw.normal(size=(1500, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors[1400] @ vectors.T
    similarity[1400] = -2
    assert nearest(vectors, 5)[1400].tolist() == np.argsort(-similarity)[:5].tolist()


def test_agreement_counts_the_own_label() -> None:
    near, labels = np.array([[1, 2], [0, 2], [0, 1]]), np.array([0, 0, 1])
    assert agreement(near, labels).tolist() == [0.5, 0.5, 0.0]


def test_marks_are_words_and_odd_capitals_stay() -> None:
    assert grams("Opens cMd.", 2) == {"opens", "cmd", ".", "opens cmd", "cmd .", "cMd"}


def test_of_sequences_in_the_same_rows_the_shortest_stands_for_all() -> None:
    found = shared_grams(["a b c", "a b c d", "a x"], longest=3, least=2)
    assert [(each.gram, each.rows.tolist()) for each in found] == [("a", [0, 1, 2]), ("b", [0, 1])]


def test_a_zero_width_character_is_part_of_a_sequence() -> None:
    found = shared_grams(["pay\u200bload", "ab\u200bc"], longest=1, least=2)
    assert [each.gram for each in found] == ["\u200b"]


@pytest.mark.parametrize(("copies", "floods"), [(11, 0), (12, 1), (100, 1)])
def test_a_flood_is_many_near_copies_with_one_label(copies: int, floods: int) -> None:
    draw = np.random.default_rng(0)
    vectors = np.vstack([np.eye(120, 32, dtype=np.float32), np.zeros((copies, 32), dtype=np.float32)])
    vectors[32:120] = draw.normal(size=(88, 32))
    vectors[120:, 3] = 1
    vectors[120:] += draw.normal(size=(copies, 32)).astype(np.float32) * 0.01
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[3] = vectors[4]
    labels = np.zeros(len(vectors), dtype=np.int64)
    found = find_floods(vectors, labels, nearest(vectors, 64), SETTINGS)
    assert [set(rows.tolist()) for rows in found] == [set(range(120, 120 + copies))] * floods
    mixed = np.arange(len(vectors)) % 12
    assert find_floods(vectors, mixed, nearest(vectors, 64), SETTINGS) == []


def test_planting_is_seeded_and_touches_no_row_twice() -> None:
    rows = make_rows()
    first, again, other = (plant(rows, LABELS, SETTINGS, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first.touched)) == len(first.touched) == 4 * 12
    untouched = set(range(len(rows))) - set(first.touched)
    assert all(first.rows[at] == rows[at] for at in untouched)
    assert all(first.rows[at].label != rows[at].label for at in first.touched)
    assert all(first.rows[at].text == rows[at].text for at in first.kinds[FLIPS])


def test_too_few_rows_to_plant_in_are_refused() -> None:
    with pytest.raises(DataError, match="too few to plant"):
        plant(make_rows(30), LABELS, SETTINGS, seed=0)
