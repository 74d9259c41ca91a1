"""Seeded random numbers by purpose: adding a draw in one place changes nothing in another.

stream(0, "benign")
"""

from random import Random


def stream(*parts: object) -> Random:
    """A generator of its own for these words."""
    return Random("/".join(map(str, parts)))  # noqa: S311  # repeatable on purpose: choices, not keys
