"""The one interface of everything that answers conversations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tasks.records.redteam import Against

Conversation = Sequence[Mapping[str, str]]
"""Messages with role and content (and name, where an attack uses it), up to the answer that is asked for."""


@dataclass(frozen=True)
class Reply:
    """What came back; a stopped request has no text."""

    text: str
    blocked_by: str | None = None
    """Guard rule, or why the request was refused; None when it was answered."""


class Target(Protocol):
    """Answers conversations; raises Unavailable when it cannot, never an empty reply instead."""

    @property
    def against(self) -> Against:
        """Whether the guard stands before it."""

    def ask(self, conversations: Sequence[Conversation]) -> Sequence[Reply]:
        """One reply for each conversation, in order."""
