"""Slots of a template, filled in one pass: what a value contains is never looked at again.

slots("One of {{labels}}.")                      # ["labels"]
fill("One of {{labels}}.", {"labels": "a, b"})   # "One of a, b."
"""

import re
from collections.abc import Mapping

_SLOT = re.compile(r"\{\{[ \t]*([a-z_][a-z0-9_]*)[ \t]*\}\}")
_LEFTOVER = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")


def slots(template: str) -> list[str]:
    """Names of the slots, in order, as often as they occur."""
    return _SLOT.findall(template)


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with every slot replaced; raises KeyError for a slot without a value."""
    return _SLOT.sub(lambda match: values[match.group(1)], template)


def parts(template: str) -> list[tuple[str | None, str]]:
    """The template cut into (slot name, its source) and (None, words) pieces, in order."""
    pieces: list[tuple[str | None, str]] = []
    cursor = 0
    for match in _SLOT.finditer(template):
        pieces += [(None, template[cursor : match.start()]), (match.group(1), match.group(0))]
        cursor = match.end()
    return [*pieces, (None, template[cursor:])]


def has_stray_braces(template: str) -> bool:
    """Whether it holds marks of a template language that are no slot."""
    return _LEFTOVER.search(_SLOT.sub("", template)) is not None
