"""One candidate of the fleet: how it is made, which gate ought to stop it, what is measured for that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.yard import Yard
from tasks.records import Candidate, EvidenceSet, Row


@dataclass(frozen=True)
class Built:
    """A candidate, with what is different about its data and its evidence."""

    candidate: Candidate
    adapter: Path
    trained_on: Sequence[Row] | None = None
    """Rows that the screen looks at; None: those of the champion, whose screening holds."""
    alter: Callable[[EvidenceSet], EvidenceSet] | None = None
    """What somebody did to the evidence afterwards."""
    evidence_of: "Built | None" = None
    """Measured on this candidate instead: what is shown is not what was measured."""
    dropped_gates: tuple[str, ...] = ()
    """Rules that somebody removed."""
    configs: Path | None = None
    """Configuration under which it is judged; None: the project's own."""


@dataclass(frozen=True)
class Member:
    """`stopped_by`: gates of which at least one must be against it; empty for good candidates."""

    name: str
    what: str
    make: Callable[[Yard], Built]
    stopped_by: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    """Checks to run; empty: all. A bad candidate needs those alone that its gate judges by."""

    unmeasured: bool = False
    """Whether a gate may be against it for want of evidence: that is then what was done to it."""

    @property
    def bad(self) -> bool:
        """Whether it has to be stopped."""
        return bool(self.stopped_by)
