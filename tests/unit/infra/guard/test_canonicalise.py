"""Views fold one character at a time: the property that streaming rests on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.guard.canonicalise import leet_letters, letters, plain, visible

VIEWS = [visible, plain, letters, leet_letters]


@given(st.text(), st.text())
def test_view_of_a_prefix_is_a_prefix_of_the_view(start: str, rest: str) -> None:
    for view in VIEWS:
        assert view(start + rest) == view(start) + view(rest)


@given(st.text())
def test_views_can_always_be_encoded(text: str) -> None:
    for view in VIEWS:
        view(text + "\ud800").encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ｉｇｎｏｒｅ", "ignore"),
        ("іgnоrе", "ignore"),
        ("i\u0301gnore\u0336", "ignore"),
        ("ig\u200b\u2060\u00adnore", "ignore"),
        ("\U000e0069\U000e0067", "ig"),
        ("ﬁle", "file"),
        ("STRASSE", "strasse"),
    ],
)
def test_plain(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_letters() -> None:
    assert letters("I-g.n o_r/e 1") == "ignore"
    assert leet_letters("1gn0r3 @ll") == "ignoreall"


def test_visible_keeps_what_people_read() -> None:
    text = "Zürich, 東京 – «naïve» ✓ 100 % \n\tok"
    assert visible(text) == text
