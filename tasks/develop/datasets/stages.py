"""A stage: named work on a table, keyed by the digests of its input, settings and code, done once.

line = Line(store, shelf)
line.begin("read", settings, key, read)
line.run(Stage("pii", {"action": "redact"}, ("tasks.develop.datasets.personal",), redact))
line.table, line.reports
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import JsonValue

from infra.code import code_digest
from infra.digest import digest_json, hex_of
from infra.errors import DataError
from infra.handover import Shelf
from infra.store import Store
from tasks.develop.datasets.tables import ChunkMap, get_table, map_here, put_table
from tasks.records import Digest
from tasks.records.data import StageReport

if TYPE_CHECKING:
    import pyarrow as pa

Settings = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Outcome:
    """What a stage made of its rows."""

    table: "pa.Table"
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Rows left out, by reason."""
    changed: Mapping[str, int] = field(default_factory=dict)
    """Rows altered or marked, by reason."""


@dataclass(frozen=True)
class Stage:
    """Named work; `run` is a pure function of the table and the settings."""

    name: str
    settings: Settings
    modules: tuple[str, ...]
    """The code that decides the result, besides what all stages share."""
    run: Callable[["pa.Table", ChunkMap], Outcome]


class Line:
    """The stages one after another: the table so far, and a report of each stage.

    With a shelf a finished stage is not done again, and its rows are read only if a later stage needs them.
    """

    def __init__(
        self,
        store: Store,
        shelf: Shelf | None = None,
        map_chunks: ChunkMap = map_here,
        watch: Callable[[StageReport], None] = lambda _report: None,
    ) -> None:
        self.reports: tuple[StageReport, ...] = ()
        self._store, self._shelf, self._map, self._watch = store, shelf, map_chunks, watch
        self._at_hand: pa.Table | None = None

    @property
    def table(self) -> "pa.Table":
        """The rows that the last stage let through; raises IntegrityError when the store altered them."""
        if self._at_hand is None:
            last = self.reports[-1]
            self._at_hand = get_table(self._store, last.table, f"result of stage {last.name}")
        return self._at_hand

    def begin(
        self,
        name: str,
        settings: Settings,
        key: Digest,
        read: Callable[[], tuple[Outcome, int]],
        *,
        again: bool,
    ) -> None:
        """The first stage: `read` gives the outcome and how many rows the source holds."""
        self._once(name, settings, key, read, again=again)

    def run(self, stage: Stage) -> None:
        """Do the stage, or take what it gave before. Raises what it raises; DataError when no row is left."""
        key = stage_key(stage.name, self.reports[-1].table, stage.settings, stage.modules)
        self._once(stage.name, stage.settings, key, lambda: self._work(stage))

    def _work(self, stage: Stage) -> tuple[Outcome, int]:
        rows = self.table.num_rows
        outcome = stage.run(self.table, self._map)
        if outcome.table.num_rows == 0:
            raise DataError(
                f"stage {stage.name}: no row is left of {rows}: {_listed(outcome.dropped)}",
                hint="correct the data, or this stage's settings in `data:`",
            )
        return outcome, rows

    def _once(
        self,
        name: str,
        settings: Settings,
        key: Digest,
        work: Callable[[], tuple[Outcome, int]],
        *,
        again: bool = False,
    ) -> None:
        place = f"data/{name}/{hex_of(key)}"
        report = self._shelf.get(place, StageReport) if self._shelf and not again else None
        # A store that was cleared makes a stage run again; one that was altered is refused when it is read.
        if report is not None and self._store.has(report.table):
            self._at_hand = None
        else:
            started = time.perf_counter()
            outcome, rows = work()
            self._at_hand = outcome.table
            report = StageReport(
                name=name,
                key=key,
                settings=dict(settings),
                table=put_table(self._store, outcome.table),
                rows_in=rows,
                rows_out=outcome.table.num_rows,
                dropped=_sorted(outcome.dropped),
                changed=_sorted(outcome.changed),
                seconds=round(time.perf_counter() - started, 3),
            )
            if self._shelf:
                self._shelf.put(place, report)
        self.reports += (report,)
        self._watch(report)


def stage_key(name: str, before: Digest, settings: Settings, modules: tuple[str, ...]) -> Digest:
    """What a stage's result depends on, as one digest."""
    code = code_digest(*modules, "tasks.develop.datasets.stages", "tasks.develop.datasets.tables")
    return digest_json({"stage": name, "input": before, "settings": dict(settings), "code": code})


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in sorted(counts.items()) if count}


def _listed(dropped: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in _sorted(dropped).items()) or "none dropped"
