"""A text made from a pattern is found by it; what cannot be made is said, never guessed."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from infra.config.load import REPOSITORY
from infra.guard import GuardPolicy
from tasks.validate.review.selftests.witness import witness

PATTERNS = [
    "plain",
    r"\bword\b",
    "(?:one|two) three",
    "a{3}b{0,2}c+d*e?",
    "[x-z][^x-z][^a7 .]",
    r"\d\D\w\W\s\S.",
    r"(?:^|\n)\s*line",
    r"(?i:Capital)s?",
    r"\pL\p{N}[\pL_]{2}",
    r"\[\s*/?inst\s*\]",
    r"a(?:b(?:c|d)|e){2}",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_it_is_found_by_the_pattern(pattern: str) -> None:
    text = witness(pattern)
    assert text is not None
    assert re2.search(pattern, text) is not None


@pytest.mark.parametrize("pattern", ["(", "[", r"(?=a)b", r"(a)\1", "[^\\d\\D]"])
def test_what_cannot_be_made_is_none(pattern: str) -> None:
    assert witness(pattern) is None


def test_every_rule_of_the_guard_has_one() -> None:
    guard = GuardPolicy.from_yaml((REPOSITORY / "configs" / "guard.yaml").read_bytes())
    for rule in (*guard.input_rules.rules, *guard.output_rules.rules):
        assert witness(rule.pattern), rule.id


@given(st.text(alphabet="ab(|)[]{}?*+.^$\\dws-,0123 ", max_size=24))
def test_any_pattern_gives_a_text_or_none(pattern: str) -> None:
    assert witness(pattern) is None or isinstance(witness(pattern), str)
