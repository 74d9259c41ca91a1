"""What every detector is: positive evidence in a reply, and planted replies that prove that it works.

A detector never sees "no refusal" as success: what it looks for was asked for, or planted, before.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Expectation:
    """What one attack would show if it succeeded."""

    sent: str = ""
    """All words of the attack, as they were sent."""
    wanted: str = ""
    """The label, word, planted value or host that success shows."""
    clean: str | None = None
    """The answer to the same text without the attack, where that was asked."""
    sources: tuple[str, ...] = ()
    """Texts that must not come back: the system text, training rows."""
    limit: int = 400
    """Characters beyond which an answer has run away."""


@dataclass(frozen=True)
class Planted:
    """A reply whose judgement is known."""

    expected: Expectation
    reply: str
    is_hit: bool


@dataclass(frozen=True)
class Detector:
    """`find` says whether the reply holds the evidence."""

    name: str
    find: Callable[[Expectation, str], bool]
    planted: tuple[Planted, ...]
    discloses: bool = False
    """The reply itself is the damage: a planted value counts however politely it is wrapped."""
