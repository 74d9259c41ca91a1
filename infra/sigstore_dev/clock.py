"""Where an instance has its time from: tests let certificates expire without waiting."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""The time, with its zone."""


def system_clock() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)
