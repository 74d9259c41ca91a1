"""Scores of generated texts at their edges: empty, other scripts and forms, patterns that hang elsewhere."""

import time

import pytest

from infra.errors import DataError
from tasks.validate.benchmark.text_scores import (
    SCORES,
    check_pattern,
    exact,
    longest_common_subsequence,
    matches,
    rouge_l,
    token_f1,
)


@pytest.mark.parametrize("score", ["exact", "token_f1", "rouge_l"])
@pytest.mark.parametrize("reference", ["", "  \n", "…", "?!", "\u200b"])
def test_a_reference_without_words_is_refused(score: str, reference: str) -> None:
    """Otherwise an empty answer would be right."""
    with pytest.raises(DataError, match="holds no word"):
        SCORES[score]("", reference)


@pytest.mark.parametrize("answer", ["", " ", "\n", "...", "🙂"])
@pytest.mark.parametrize("score", ["exact", "token_f1", "rouge_l"])
def test_an_answer_without_words_is_wrong(score: str, answer: str) -> None:
    assert SCORES[score](answer, "impact") == 0.0


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("Impact", "impact", 1.0),
        (" initial \n access ", "initial access", 1.0),
        ("ｉｍｐａｃｔ", "impact", 1.0),
        ("ﬁnal", "final", 1.0),
        ("cafe\u0301", "café", 1.0),
        ("STRASSE", "straße", 1.0),
        ("impact.", "impact", 0.0),
        ("an impact", "impact", 0.0),
        ("initialaccess", "initial access", 0.0),
        ("іmpact", "impact", 0.0),  # a Cyrillic letter is another answer
    ],
)
def test_exact(answer: str, reference: str, expected: float) -> None:
    assert exact(answer, reference) == expected


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        ("The cat sat.", "a cat", 2 * 1 / (2 + 1)),
        ("cat cat", "cat", 2 * 1 / 3),
        ("dog", "cat", 0.0),
        ("the", "the", 1.0),
        ("a", "the", 0.0),
        ("кошка спит", "Кошка", 2 / 3),
        ("猫", "猫", 1.0),
    ],
)
def test_token_f1(answer: str, reference: str, expected: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("answer", "reference", "expected"),
    [
        # Lin 2004, section 3: police killed the gunman / police kill the gunman / the gunman kill police
        ("police kill the gunman", "police killed the gunman", 0.75),
        ("the gunman kill police", "police killed the gunman", 0.5),
        ("the the the the", "the cat", 2 / 6),
        ("x", "y", 0.0),
        ("same words", "same words", 1.0),
    ],
)
def test_rouge_l(answer: str, reference: str, expected: float) -> None:
    assert rouge_l(answer, reference) == pytest.approx(expected)


def test_order_counts_for_rouge_and_not_for_f1() -> None:
    assert token_f1("b a", "a b") == token_f1("a b", "a b")
    assert rouge_l("b c", "c b") < rouge_l("c b", "c b")


def test_longest_common_subsequence() -> None:
    assert longest_common_subsequence("", "abc") == longest_common_subsequence("abc", "") == 0
    assert longest_common_subsequence("abcbdab", "bdcaba") == 4  # Cormen et al., section 14.4
    assert longest_common_subsequence("aaa", "aa") == 2


def test_patterns() -> None:
    assert matches("T1059 is used", r"\bT\d{4}\b") == 1.0
    assert matches("", r"\bT\d{4}\b") == 0.0
    assert matches("Ｔ1059", r"T\d{4}") == 1.0
    assert matches("IMPACT", "(?i)impact") == 1.0
    assert matches("IMPACT", "impact") == 0.0


@pytest.mark.parametrize("pattern", ["", "x*", "a|", r"\s*"])
def test_a_pattern_that_an_empty_answer_meets_is_refused(pattern: str) -> None:
    with pytest.raises(DataError, match="matches an empty answer"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(", "[z-a]", r"(a)\1", "(?=look)"])
def test_a_pattern_that_cannot_be_run_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(DataError, match="RE2 refuses"):
        check_pattern(pattern)


def test_no_answer_makes_a_pattern_hang() -> None:
    started = time.perf_counter()
    assert matches("a" * 50_000 + "!", r"^(a+)+$") == 0.0
    assert time.perf_counter() - started < 20  # a backtracking engine would not end at all
