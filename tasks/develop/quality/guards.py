"""What Great Expectations lets through: no rows, too few, nothing but nulls, labels that nobody has.

counts = count_cells(table)                                     # rows by split and label
guard_failures(counts, labels=("a", "b"), min_rows=100)         # one line each; empty when all hold
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.records.quality import SPLITS

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class SplitCounts:
    """Rows of one split."""

    rows: int = 0
    incomplete: int = 0
    """Rows without a text or without a label."""
    labels: dict[str, int] = field(default_factory=dict)
    """Rows by label; rows without one are not among them."""


def count_cells(table: "pa.Table") -> Mapping[str, SplitCounts]:
    """Counts by split of a table with columns split, label and text_null; absent splits count zero."""
    import pyarrow.compute as pc

    plain = table.select(["split", "label", "text_null"])
    for number, name in enumerate(("split", "label")):
        plain = plain.set_column(number, name, pc.cast(table.column(name), "string"))
    counts: defaultdict[str, SplitCounts] = defaultdict(SplitCounts)
    grouped = plain.group_by(["split", "label", "text_null"]).aggregate([([], "count_all")])
    for each in grouped.to_pylist():
        split, label, rows = counts[each["split"]], each["label"], each["count_all"]
        split.rows += rows
        if label is not None:
            split.labels[label] = split.labels.get(label, 0) + rows
        if label is None or each["text_null"]:
            split.incomplete += rows
    return counts


def guard_failures(counts: Mapping[str, SplitCounts], labels: Sequence[str], min_rows: int) -> list[str]:
    """Failures in words; `min_rows` counts training rows."""
    failed = [] if labels else ["labels: got none, expected at least one"]
    for split in SPLITS:
        found = counts.get(split, SplitCounts())
        least = max(min_rows, 1) if split == "train" else 1
        if found.rows < least:
            failed.append(f"{split}: got {found.rows} rows, expected at least {least}")
        if found.incomplete:
            failed.append(f"{split}: {found.incomplete} of {found.rows} rows lack a text or a label")
        if split != "validation" and (absent := [label for label in labels if not found.labels.get(label)]):
            failed.append(f"{split}: no row has label {', '.join(map(repr, absent))}")
    return failed
