"""Stages that compare rows with one another: exact and near duplicates, contamination."""

import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.config.data import DataSettings
from tasks.develop.datasets.contamination import contamination_stage
from tasks.develop.datasets.duplicates import duplicates_stage
from tasks.develop.datasets.jaccard import Index, sets_of, similar_pairs
from tasks.develop.datasets.lookup import Lookup
from tasks.develop.datasets.near_duplicates import bands, near_duplicates_stage
from tasks.develop.datasets.rows import text_group
from tasks.develop.datasets.words import run_hashes, word_hashes
from tests.unit.tasks.develop.datasets.samples import counted, run, table, texts, texts_table

DATA = DataSettings(source="attack-stix", licence="MIT")
BASE = "The actor has used a scheduled task to run the loader at every logon of the victim"
HASHES = st.integers(0, 2**64 - 1)
TOKENS = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=8, unique=True), min_size=2, max_size=12)


def test_contradictions_go_altogether_and_of_copies_one_stays() -> None:
    rows = [
        ("Same text", "a", "g"),
        ("same TEXT", "b", "g"),
        ("one", "a", "h"),
        ("One", "a", "g"),
        ("z", "b", "z"),
    ]
    outcome = run(duplicates_stage(DATA), table(rows))
    assert texts(outcome) == ["One", "z"]
    assert counted(outcome) == {"same text with several labels": 2, "duplicate": 1}


def test_nothing_but_copies_leaves_one_row() -> None:
    outcome = run(duplicates_stage(DATA), table([("same", "a", f"g{n}") for n in range(50)]))
    assert outcome.table.to_pylist()[0]["group"] == "g0"
    assert counted(outcome) == {"duplicate": 49}


def test_a_row_without_a_group_gets_that_of_its_text() -> None:
    outcome = run(duplicates_stage(DATA), table([("Some Text", "a", None), ("other", "a", "g")]))
    groups = dict(zip(texts(outcome), outcome.table.column("group").to_pylist(), strict=True))
    assert groups == {"Some Text": text_group("some text"), "other": "g"}


def test_of_copies_the_published_test_row_stays() -> None:
    rows = table([("same", "a", "a"), ("SAME", "a", "b")], split=["train", "test"])
    assert run(duplicates_stage(DATA), rows).table.column("split").to_pylist() == ["test"]
    near = table([(BASE, "a", "a"), (BASE + " too", "a", "b")], split=["train", "Test"])
    assert run(near_duplicates_stage(DATA), near).table.column("split").to_pylist() == ["Test"]


@given(
    st.permutations([("b c", "a", "g"), ("B C", "a", "f"), ("d", "b", "g"), ("e", "a", "x"), ("E", "b", "x")])
)
def test_what_stays_does_not_depend_on_order(rows: list[tuple[str, str, str | None]]) -> None:
    outcome = run(duplicates_stage(DATA), table(rows))
    assert outcome.table.to_pylist() == run(duplicates_stage(DATA), table(sorted(rows))).table.to_pylist()


def test_words_are_letters_and_digits_and_runs_keep_their_order() -> None:
    import pyarrow as pa

    words, counts = word_hashes(pa.array(["The CAT, sat!", "the cat sat", "sat the cat", "", "naïve 数据_x"]))
    assert counts.tolist() == [3, 3, 3, 1, 3]
    assert (words[:3] == words[3:6]).all()
    runs, per_text = run_hashes(words, counts, 3)
    assert per_text.tolist() == [1, 1, 1, 1, 1]
    assert runs[0] == runs[1] != runs[2]
    assert len(set(run_hashes(words, counts, 2)[0].tolist())) == 6


@given(
    st.lists(st.integers(0, 2**64 - 1), max_size=60, unique=True),
    st.lists(st.integers(0, 2**64 - 1), max_size=20),
)
def test_look_up_finds_what_is_there_and_nothing_else(held: list[int], others: list[int]) -> None:
    values = np.array(sorted(held), dtype=np.uint64)
    asked = np.array(others + held, dtype=np.uint64)
    places, known = Lookup.of(values).find(asked)
    assert known.tolist() == [value in set(held) for value in asked.tolist()]
    assert (values[places[known]] == asked[known]).all() if len(values) else not known.any()


def jaccard(one: list[int], two: list[int]) -> float:
    return len(set(one) & set(two)) / len(set(one) | set(two))


@settings(max_examples=40)
@given(TOKENS, st.sampled_from([0.3, 0.5, 0.6, 0.8, 1.0]))
def test_similar_pairs_are_those_of_the_definition(rows: list[list[int]], limit: float) -> None:
    tokens = [token for row in rows for token in row]
    sets = sets_of(np.array(tokens, dtype=np.uint64), np.array([len(row) for row in rows]))
    left, right = similar_pairs(sets, limit)
    every, half = range(len(rows)), len(rows) // 2
    expected = {(a, b) for b in every for a in range(b) if jaccard(rows[a], rows[b]) >= limit - 1e-9}
    assert set(zip(left.tolist(), right.tolist(), strict=True)) == expected
    index, others = Index.of(sets.take(np.arange(half)), limit), sets.take(np.arange(half, len(rows)))
    near = [
        any(jaccard(rows[a], rows[b]) >= limit - 1e-9 for a in range(half)) for b in range(half, len(rows))
    ]
    assert index.near(others).tolist() == near


@pytest.mark.parametrize(("threshold", "expected"), [(0.3, 64), (0.6, 32), (0.9, 16), (1.0, 8)])
def test_bands_follow_the_threshold(threshold: float, expected: int) -> None:
    assert bands(threshold) == expected


def sentences(count: int, seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    return [
        " ".join(f"w{chance.randrange(300)}" for _ in range(chance.randrange(12, 20))) for _ in range(count)
    ]


def test_near_duplicates_go_and_others_stay() -> None:
    rows = sentences(400)
    chance = random.Random(1)
    copies = []
    for text in rows[:100]:
        words = text.split()
        words[chance.randrange(1, len(words))] = "changed"
        copies.append(" ".join(words))
    outcome = run(near_duplicates_stage(DATA), texts_table(sorted(rows + copies)))
    # One edited word in twelve or more leaves a similarity of 0.54 or more: not all are copies at 0.6.
    similar = sum(_similarity(a, b) >= 0.6 for a, b in zip(rows, copies, strict=False))
    assert similar > 80
    assert similar - 3 <= counted(outcome)["near duplicate"] <= similar


def _similarity(one: str, two: str) -> float:
    grams = [{tuple(words[n : n + 3]) for n in range(len(words) - 2)} for words in (one.split(), two.split())]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_a_flood_of_near_copies_leaves_one_of_them() -> None:
    flood = sorted(f"{BASE} number {number}" for number in range(500))
    outcome = run(
        near_duplicates_stage(DATA), texts_table([*flood, "something else entirely, and by itself"])
    )
    assert outcome.table.num_rows == 2


def test_near_duplicates_can_be_turned_off() -> None:
    assert near_duplicates_stage(DATA.model_copy(update={"near_duplicate_similarity": None})) is None


def test_rows_that_give_evaluation_rows_away_go() -> None:
    words = re.findall(r"\w+", BASE)
    rows = [
        BASE,  # test
        "a validation row that shares nothing with the others in this table at all",  # validation
        "Before that, " + " ".join(words[3:11]).upper() + " and much else that is new here and long",
        "Before that, " + " ".join(words[3:10]) + " and much else that is new here and long",
        BASE.lower().replace(" ", ", "),
        "a validation row that shares nothing with others in this table at all",
        "something of its own",
    ]
    split = ["test", "validation", "train", "train", "validation", "train", "train"]
    outcome = run(contamination_stage(DATA), texts_table(rows, split=split))
    assert texts(outcome) == [rows[0], rows[1], rows[3], rows[6]]
    assert counted(outcome) == {"shares 8 words with a test row": 2, "near copy of a validation row": 1}


def test_short_rows_are_compared_as_a_whole() -> None:
    outcome = run(
        contamination_stage(DATA),
        texts_table(["Uses cmd.exe", "uses CMD exe!", "uses cmd"], split=["test", "train", "train"]),
    )
    assert texts(outcome) == ["Uses cmd.exe", "uses cmd"]
