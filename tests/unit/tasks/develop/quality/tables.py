"""Small prepared splits for the tests of the quality check."""

import pyarrow as pa

from tasks.records import SplitName

LABELS = ("a", "b")
COLUMNS = ("text", "label", "group", "licence", "source")

Cells = tuple[str | None, ...]


def row(number: int, **cells: str | None) -> Cells:
    """A good row; `cells` overrides columns."""
    good = {
        "text": f"text number{number}",
        "label": LABELS[number % 2],
        "group": f"group {number // 2}",
        "licence": "CC-BY-4.0",
        "source": "made up",
    }
    return tuple({**good, **cells}[name] for name in COLUMNS)


def table(rows: list[Cells]) -> pa.Table:
    """Rows as an Arrow table of strings."""
    columns = {name: [cells[at] for cells in rows] for at, name in enumerate(COLUMNS)}
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in COLUMNS]))


def splits(*extra: Cells, train: int = 10) -> dict[SplitName, pa.Table]:
    """Good splits of 10, 4 and 4 rows; `extra` rows are training rows."""
    return {
        "train": table([*map(row, range(train)), *extra]),
        "validation": table(list(map(row, range(100, 104)))),
        "test": table(list(map(row, range(200, 204)))),
    }
