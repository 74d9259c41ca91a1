"""A text that a pattern matches, made from the pattern: what is planted for rules that anybody may write.

witness(r"\\b(?:ignore|forget) (?:the ){0,2}rules?")      # "ignore rule"

The first alternative and the fewest repetitions are taken. Whether the rule does find it is for the caller to
see: a rule in capitals finds nothing in text that is folded to small letters, and that is what shows.
"""

import re
import re._constants as sre  # type: ignore[import-not-found]  # a private module without types
import re._parser as parser  # type: ignore[import-not-found]
from typing import Any

# What RE2 knows and `re` does not.
_CLASSES = {r"\pL": "a-z", r"\pN": "0-9", r"\pZ": " ", r"\pP": ".", r"\pS": "+"}
_CANDIDATES = "a7 .-_xA\n"


def witness(pattern: str) -> str | None:
    """A text for an RE2 pattern, or None for one that is written in a way unknown here."""
    text = re.sub(r"\\p\{(\w)\w*\}", r"\\p\1", pattern)
    for name, members in _CLASSES.items():
        # Inside of brackets the members alone, elsewhere a class of their own.
        text = re.sub(rf"(\[[^\]]*){re.escape(name)}", rf"\g<1>{members}", text)
        text = text.replace(name, f"[{members}]")
    try:
        return _text(parser.parse(text))
    except (re.error, KeyError, RecursionError, OverflowError, _Unknown):
        return None


class _Unknown(Exception):
    """Raised for a construct that RE2 does not have either, or a class with nothing in it."""


def _text(nodes: Any) -> str:
    return "".join(_node(kind, value) for kind, value in nodes)


def _node(kind: Any, value: Any) -> str:
    if kind is sre.LITERAL:
        return chr(value)
    if kind in (sre.NOT_LITERAL, sre.ANY):
        return "x" if kind is sre.ANY or value != ord("x") else "y"
    if kind is sre.IN:
        return next((char for char in _members(value) if _holds(value, char)), "") or _empty()
    if kind is sre.BRANCH:
        return _text(value[1][0])
    if kind is sre.SUBPATTERN:
        return _text(value[-1])
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        least, _, inner = value
        return _text(inner) * int(least)
    if kind is sre.AT:
        return ""
    raise _Unknown(str(kind))


def _members(items: Any) -> str:
    """Characters worth trying: those that the class names, then some of every kind."""
    named = [chr(v if k is sre.LITERAL else v[0]) for k, v in items if k in (sre.LITERAL, sre.RANGE)]
    negated = any(kind is sre.NEGATE for kind, _ in items)
    return _CANDIDATES if negated else "".join(named) + _CANDIDATES


def _holds(items: Any, char: str) -> bool:
    inside, negated = False, False
    for kind, value in items:
        if kind is sre.NEGATE:
            negated = True
        elif kind is sre.LITERAL:
            inside |= ord(char) == value
        elif kind is sre.RANGE:
            inside |= value[0] <= ord(char) <= value[1]
        elif kind is sre.CATEGORY:
            inside |= re.match(_CATEGORIES[value], char) is not None
        else:
            raise _Unknown(str(kind))
    return inside is not negated


def _empty() -> str:
    raise _Unknown("an empty class")


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
