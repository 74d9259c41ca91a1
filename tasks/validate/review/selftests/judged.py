"""One planted text and how it was judged.

Judged("guard", "role-token", True)
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Judged:
    """Whether a detector did with a planted text what it has to."""

    group: str
    detector: str
    right: bool
