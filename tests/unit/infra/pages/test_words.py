"""Text of others is escaped, cut, and holds nothing that cannot be seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.pages.words import shortened, shown, visible


def test_markup_is_text() -> None:
    assert shown("<script>\"'&") == "&lt;script&gt;&quot;&#x27;&amp;"


@pytest.mark.parametrize(
    "character",
    [
        "\u202e",
        "\u2066",
        "\u200b",
        "\u00ad",
        "\ufeff",
        "\U000e0041",
        "\x1b",
        "\x00",
        "\u2028",
        "\ue000",
        "\ud800",
    ],
)
def test_what_is_unseen_or_turns_the_text_is_spelled_out(character: str) -> None:
    assert shown(f"a{character}b") == f"a⟨U+{ord(character):04X}⟩b"


def test_lines_are_kept_only_where_wanted() -> None:
    assert shown("a\r\nb\tc") == "a b c"
    assert shown("a\r\nb", lines=True) == "a\nb"
    assert "⟨U+000D⟩" in shown("a\rb", lines=True)


def test_what_is_cut_says_how_much() -> None:
    assert shortened("abc", 3) == "abc"
    assert shortened("a" * 2000, 10) == "a" * 10 + "… (1,990 more characters)"


@given(st.text())
def test_no_text_brings_markup_or_control_characters(text: str) -> None:
    html = shown(text)
    assert not set(html) & set("<>\"'\x00\x1b\n\u202e")
    assert visible(visible(text)) == visible(text)
