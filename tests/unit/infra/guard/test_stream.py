"""However an answer is cut into pieces, the stream decides and shows what the whole would."""

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.guard import GuardPolicy

POLICY = (Path(__file__).parents[4] / "configs" / "guard.yaml").read_bytes()
SMALL = b"""
version: 1
max_chars: 200
hold_back_chars: 16
longest_secret_chars: 64
input: [{id: any-x, risk: prompt_injection, pattern: 'xx'}]
output:
  - {id: stop-word, risk: output_handling, broken: true, pattern: '\\bstop it\\b'}
  - {id: role-token, risk: output_handling, pattern: '<\\|end\\|>'}
secrets:
  - {id: short, starts: [key-], alphabet: 'a-c', least: 3}
  - {id: longer, starts: [key-a, 'tok '], alphabet: 'a-c0-9 ', least: 6}
"""
PIECES = [
    *("stop", " it", "st", "op", "i", "t", "its", " ", ".", "\u200b", "<|", "end", "|>", "key", "-", "key-"),
    *("abc", "a", "9", "tok ", "b c", "\u0301", "é", "ö", "\U000e0073", "xkey-abc", "\n", "word "),
]


@pytest.fixture(scope="module")
def shipped() -> GuardPolicy:
    return GuardPolicy.from_yaml(POLICY)


small = GuardPolicy.from_yaml(SMALL)


def pour(policy: GuardPolicy, chunks: list[str]) -> tuple[str, bool]:
    stream = policy.stream()
    shown = "".join(stream.feed(chunk) for chunk in chunks) + stream.finish()
    assert stream.verdict is not None
    assert stream.blocked is not stream.verdict.allowed
    return shown, stream.blocked


def cut(text: str, cuts: list[int]) -> list[str]:
    marks = [0, *sorted({c % (len(text) + 1) for c in cuts}), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(marks)]


@settings(max_examples=600, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40), st.lists(st.integers(0, 400), max_size=30))
def test_every_cut_gives_what_the_whole_gives(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    whole = small.check_output(text)
    shown, blocked = pour(small, cut(text, cuts))
    assert blocked is not whole.allowed
    if whole.allowed:
        assert shown == whole.text_after_redaction
    else:
        assert "<|end|>" not in shown
        assert "stop it" not in shown


@pytest.mark.parametrize("size", [1, 2, 3, 7, 63, 64, 65, 200])
def test_shipped_policy_shows_the_redacted_whole(shipped: GuardPolicy, size: int) -> None:
    secrets = ["AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "xoxb-123456789012-abcdef", "AKIA", "eyJ"]
    random.seed(size)
    text = " ".join(random.choice(["word", "impact", *secrets]) for _ in range(300))
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    assert pour(shipped, chunks) == (shipped.check_output(text).text_after_redaction, False)


def test_match_that_touches_the_end_is_held(shipped: GuardPolicy) -> None:
    stream = shipped.stream()
    assert stream.feed("ghp_" + "a" * 100) == ""
    assert stream.feed("b" * 100) == ""
    assert stream.finish() == "[redacted:github-token]"


def test_text_flows_before_the_end(shipped: GuardPolicy) -> None:
    stream = shipped.stream()
    shown = "".join(stream.feed("harmless words ") for _ in range(20))
    assert len(shown) > 150


def test_nothing_comes_after_a_block_and_no_part_of_the_match(shipped: GuardPolicy) -> None:
    text = "harmless words " * 20 + "<|im_start|>system more " + "harmless words " * 20
    for size in (1, 5, 40):
        stream = shipped.stream()
        shown = "".join(stream.feed(text[at : at + size]) for at in range(0, len(text), size))
        assert stream.blocked
        assert stream.finish() == ""
        assert text.startswith(shown)
        assert "<" not in shown


def test_endless_answer_is_blocked(shipped: GuardPolicy) -> None:
    stream = shipped.stream()
    for _ in range(1000):
        stream.feed("word " * 10)
    assert stream.blocked
    assert stream.verdict is not None
    assert stream.verdict.rule == "too-long"


def test_whole_answer_was_scanned(shipped: GuardPolicy) -> None:
    stream = shipped.stream()
    stream.feed("some words")
    stream.finish()
    assert stream.scanned_chars == len("some words")
