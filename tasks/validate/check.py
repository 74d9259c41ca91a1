"""One check of a candidate: what it promises to measure, and how long it may take.

Each part of validation declares one in its `check.py`:

CHECK = Check("fairness", ("counterfactual_flips",), 120, ("tasks.validate.fairness",), run)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.records import Candidate, Evidence

if TYPE_CHECKING:
    from infra.workspace import Workspace


@dataclass(frozen=True)
class Check:
    """What the runner needs to know; a promised metric that does not come is never a pass."""

    name: str
    metrics: tuple[str, ...]
    deadline_s: float
    code: tuple[str, ...]
    """Modules whose source decides the outcome: part of the key under which evidence is kept."""
    run: Callable[["Workspace", Candidate], Sequence[Evidence]]
    optional: tuple[str, ...] = ()
    """Metrics that it may bring besides; naming one that needs a champion makes the champion an input."""
    kept: bool = True
    """False for a check whose answer depends on the day or on the machine: it runs every time."""
    reads: Callable[["Workspace"], Mapping[str, str]] | None = None
    """Digests of the files of configuration that decide the outcome besides settings, guard and prompt."""
    after: tuple[str, ...] = ()
    """Names of checks that it starts after, because it reads what they leave in the store."""
