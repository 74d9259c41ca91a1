"""Small tables of rows, and one stage run on them."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from tasks.develop.datasets.stages import Outcome, Stage
from tasks.develop.datasets.tables import COLUMNS, map_here

Cells = tuple[str, str, str | None]


def table(rows: Iterable[Cells], **columns: list[str]) -> pa.Table:
    """A table of (text, label, group) rows."""
    cells = [(*row, "MIT", "here") for row in rows]
    arrays = {
        name: pa.array([row[place] for row in cells], pa.string()) for place, name in enumerate(COLUMNS)
    }
    return pa.table(arrays | {name: pa.array(values, pa.string()) for name, values in columns.items()})


def texts_table(texts: Iterable[str], **columns: list[str]) -> pa.Table:
    return table([(text, "a", f"g{number}") for number, text in enumerate(texts)], **columns)


def run(stage: Stage | None, rows: pa.Table) -> Outcome:
    assert stage is not None
    return stage.run(rows, map_here)


def texts(outcome: Outcome) -> list[Any]:
    found: list[Any] = outcome.table.column("text").to_pylist()
    return found


def counted(outcome: Outcome) -> dict[str, int]:
    return {reason: count for reason, count in outcome.dropped.items() if count}
