"""The second opinion on duplicates and contamination."""

import pyarrow as pa

from tasks.develop.quality.scan import Scanned, scan_texts
from tasks.records import SplitName

SENTENCE = "one two three four five six seven eight nine"


def scan(**splits: list[str | None]) -> Scanned:
    texts: dict[SplitName, pa.ChunkedArray] = {
        name: pa.chunked_array([pa.array(rows, pa.large_string())])  # type: ignore[misc]  # names of splits
        for name, rows in splits.items()
    }
    return scan_texts(texts)


def test_nothing_shared_is_nothing_found() -> None:
    found = scan(train=["a b c", "d e f"], test=["g h i"])
    assert not (found.duplicate | found.leaked | found.same_words | found.contaminated).any()


def test_a_training_text_in_an_evaluation_split_is_leaked_whatever_its_case() -> None:
    found = scan(train=["Short text", "other"], validation=["new"], test=["short  TEXT"])
    assert found.leaked.tolist() == [False, False, False, True]
    assert found.contaminated.tolist() == [False, False, False, True]
    assert found.duplicate.tolist() == [False, False, False, True]


def test_other_punctuation_is_contaminated_but_no_duplicate() -> None:
    found = scan(train=['if a == "b"'], test=["if a = b", "if a"])
    assert found.duplicate.tolist() == [False, False, False]
    assert found.leaked.tolist() == [False, False, False]
    assert found.same_words.tolist() == [False, True, False]
    assert found.contaminated.tolist() == [False, True, False]


def test_eight_words_in_a_row_contaminate_and_seven_do_not() -> None:
    eight, seven = " ".join(SENTENCE.split()[:8]), " ".join(SENTENCE.split()[1:8])
    found = scan(train=[f"Before {SENTENCE.title()}, after"], test=[f"x {eight} y", f"x {seven} y"])
    assert found.contaminated.tolist() == [False, True, False]
    assert not found.leaked.any()


def test_runs_shared_between_evaluation_splits_are_no_contamination() -> None:
    found = scan(train=["x"], validation=[SENTENCE], test=[f"{SENTENCE} ten"])
    assert not found.contaminated.any()


def test_only_evaluation_rows_are_contaminated() -> None:
    found = scan(train=[SENTENCE, SENTENCE], test=[SENTENCE])
    assert found.contaminated.tolist() == [False, False, True]
    assert found.duplicate.tolist() == [False, True, True]


def test_the_order_of_splits_is_that_of_the_rows() -> None:
    found = scan(test=["same text"], train=["other words here", "same text"])
    assert found.leaked.tolist() == [True, False, False]
    assert found.words.tolist() == [2, 3, 2]


def test_empty_texts_and_absent_splits_are_no_duplicates() -> None:
    found = scan(train=[None, None, "", "!", "!"])
    assert not found.duplicate.any()
    assert found.words.tolist() == [0] * 5
    assert not scan(test=["a", "b"]).contaminated.any()
    assert len(scan().words) == 0
