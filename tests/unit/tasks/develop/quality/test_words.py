"""Texts that say the same hash the same, and others do not: against a plain reference."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.develop.quality import words
from tasks.develop.quality.runs import RunIndex
from tasks.develop.quality.words import WordBlock, word_blocks

RUN = 3
WORDS = st.text(alphabet="abyzAZ09 .,-éÉ\u0301ßﬁЖж中\u200b\t\n", max_size=40)


def whole(texts: list[str | None], run: int = RUN) -> WordBlock:
    blocks = list(word_blocks(pa.chunked_array([pa.array(texts, pa.string())]), run=run))
    parts = [(b.keys, b.counts, b.runs, b.run_rows) for b in blocks]
    return WordBlock(0, *(np.concatenate(each) for each in zip(*parts, strict=True)))


def reference(text: str) -> tuple[str, ...]:
    """The words of a text: ASCII as it is, the rest in NFKC, marks part of their letter."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).lower()
        text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in text.lower())
    return tuple("".join(kept).split())


@settings(max_examples=30)
@given(st.lists(WORDS, min_size=1, max_size=8))
def test_keys_counts_and_runs_follow_the_words(texts: list[str]) -> None:
    found, expected = whole(texts), [reference(text) for text in texts]
    assert found.counts.tolist() == [len(each) for each in expected]
    for one, first in zip(found.keys, expected, strict=True):
        for other, second in zip(found.keys, expected, strict=True):
            assert (one == other) == (first == second)
    runs = [
        (row, each[at : at + RUN]) for row, each in enumerate(expected) for at in range(len(each) - RUN + 1)
    ]
    assert found.run_rows.tolist() == [row for row, _ in runs]
    for one, (_, first) in zip(found.runs, runs, strict=True):
        for other, (_, second) in zip(found.runs, runs, strict=True):
            assert (one == other) == (first == second)


def test_case_spacing_punctuation_and_hidden_characters_make_no_difference() -> None:
    found = whole(["The cat, sat.", "the  CAT\nsat", "«The» cat\u200b — sat", "the cat sat on"])
    assert len(set(found.keys[:3])) == 1
    assert found.keys[3] != found.keys[0]


def test_nulls_and_texts_without_words_have_no_key() -> None:
    found = whole([None, "", " ?! ", "word"])
    assert (found.keys == 0).tolist() == [True, True, True, False]
    assert found.counts.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("size", [7, 8, 9, 15, 16, 17, 63, 64, 65, 200])
def test_words_of_any_length_differ_by_their_last_letter(size: int) -> None:
    found = whole(["x" * size + "a", "x" * size + "b", "X" * size + "A", "x" * size])
    assert found.keys[0] == found.keys[2]
    assert len(set(found.keys.tolist())) == 3


def test_order_of_words_and_borders_between_them_count() -> None:
    assert len(set(whole(["ab c", "a bc", "abc", "c ab"]).keys.tolist())) == 4


def test_no_run_crosses_from_one_row_to_the_next() -> None:
    assert whole(["a b", "c d e", "f"]).run_rows.tolist() == [1]


def test_blocks_of_any_size_and_chunking_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"row {n} says é{'x' * n} and more words" for n in range(25)] + ["", None]
    plain = whole(texts)
    monkeypatch.setattr(words, "_BLOCK_BYTES", 64)
    monkeypatch.setattr(words, "_PIECE_BYTES", 200)
    small = whole(texts)
    sliced = pa.chunked_array([pa.array(["skipped", *texts[:9]]).slice(1), pa.array(texts[9:], pa.string())])
    blocks = list(word_blocks(sliced, run=RUN))
    for name in ("keys", "counts", "runs"):
        assert getattr(small, name).tolist() == getattr(plain, name).tolist()
        assert np.concatenate([getattr(b, name) for b in blocks]).tolist() == getattr(plain, name).tolist()
    assert [b.start for b in blocks] == np.cumsum([0] + [len(b.keys) for b in blocks[:-1]]).tolist()


def test_an_index_finds_its_runs_and_no_others() -> None:
    known = np.arange(1, 2000, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    others = np.arange(0, 2000, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert RunIndex(known).contains(known).all()
    assert not RunIndex(known).contains(others).any()
    assert not RunIndex(known[:0]).contains(known).any()
