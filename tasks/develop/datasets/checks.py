"""What every row of a file must meet before anything is done with it, told by name and row.

part = check_cells(cells, data)              # part.table: usable rows; part.dropped: why others are not
refuse_repeated_ids(parts)
refuse_published_leaks(parts)
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.config.data import DataSettings
from infra.errors import DataError
from infra.guard.canonicalise import visible
from tasks.develop.datasets.cells import Cells
from tasks.develop.datasets.rows import check_label, normalised
from tasks.records import SplitName

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_SPLITS: Mapping[str, SplitName] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """Usable rows of a part: string columns by role, and where each row stood in the source."""

    table: "pa.Table"
    dropped: Mapping[str, int]
    cells: Cells
    kept: "NDArray[np.int64]"
    """Index in `cells` of each row of `table`."""

    def place(self, index: int) -> str:
        """Where row `index` of `table` stood."""
        return self.cells.place(int(self.kept[index]))


def check_cells(cells: Cells, data: DataSettings) -> Checked:
    """Rows with a text, and a licence if there is a column for it; all else must be filled and known.

    Raises DataError naming place and column of the first row without a label, group, id or split, with a
    label that is not allowed, or with a split that is none.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    dropped: Counter[str] = Counter()
    table = pa.table(dict(cells.columns))
    kept = np.arange(table.num_rows)
    for role, reason in (("text", "empty text"), ("licence", "no licence")):
        if role in table.column_names:
            filled = _filled(table.column(role))
            dropped[reason] += table.num_rows - int(filled.sum())
            table, kept = table.filter(pa.array(filled)), kept[filled]
    names = {"label": data.label_column, "group": data.group_column, "id": data.id_column}
    names |= {"split": data.split_column, "source": data.source_column}
    for role, column in names.items():
        if role in table.column_names:
            bare = np.flatnonzero(~_filled(table.column(role)))
            if len(bare):
                raise DataError(
                    f"{cells.place(int(kept[bare[0]]))}: column {column!r} holds nothing, expected text",
                    hint="fill or remove the row",
                )
            table = _with(table, role, pc.utf8_trim_whitespace(table.column(role)))
    part = Checked(_tidy(table), {reason: n for reason, n in dropped.items() if n}, cells, kept)
    _require_known(part, data)
    return part


def _filled(column: "pa.ChunkedArray") -> "NDArray[np.bool_]":
    import pyarrow.compute as pc

    blank = pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0)
    found: NDArray[np.bool_] = ~pc.fill_null(blank, True).to_numpy()
    return found


def _with(table: "pa.Table", role: str, column: "pa.ChunkedArray") -> "pa.Table":
    return table.set_column(table.column_names.index(role), role, column)


def _tidy(table: "pa.Table") -> "pa.Table":
    """Labels in one form, without hidden characters: `impact\\u200b` would be a label of its own."""
    import pyarrow as pa

    found = table.column("label").combine_chunks().dictionary_encode()
    names = pa.array([normalised(visible(name)) for name in found.dictionary.to_pylist()], pa.string())
    return _with(table, "label", names.take(found.indices))


def _require_known(part: Checked, data: DataSettings) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if data.labels:
        known = pc.is_in(part.table.column("label"), pa.array(data.labels))
        if (index := pc.index(known, False).as_py()) >= 0:
            check_label(part.table.column("label")[index].as_py(), data.labels, part.place(index))
    if "split" in part.table.column_names:
        for index, name in enumerate(part.table.column("split").to_pylist()):
            if name.lower() not in _SPLITS:
                raise DataError(
                    f"{part.place(index)}: split {name!r} is none of train, validation, test",
                    hint="rename it, or remove data.split_column",
                )


def published_split(name: str) -> SplitName:
    """Our name of a published split; raises KeyError for one that `check_cells` refuses."""
    return _SPLITS[name.lower()]


def refuse_repeated_ids(parts: Sequence[Checked]) -> None:
    """Raises DataError naming two rows with the same id; without an id column nothing is checked."""
    first: dict[str, tuple[int, int]] = {}
    for number, part in enumerate(parts):
        if "id" not in part.table.column_names:
            return
        for index, name in enumerate(part.table.column("id").to_pylist()):
            other = first.setdefault(name, (number, index))
            if other != (number, index):
                raise DataError(
                    f"{part.place(index)}: its id is that of {parts[other[0]].place(other[1])}",
                    hint="ids are unique: remove one of the rows, or data.id_column",
                )


def refuse_published_leaks(parts: Sequence[Checked]) -> None:
    """Raises DataError naming two rows of one text or one group in two published splits."""
    for role, keys in (("text", _text_keys), ("group", _groups)):
        first: dict[object, tuple[SplitName, int, int]] = {}
        for number, part in enumerate(parts):
            if not {"split", role} <= set(part.table.column_names):
                return
            splits = part.table.column("split").to_pylist()
            for index, (key, name) in enumerate(zip(keys(part), splits, strict=True)):
                split = published_split(name)
                other, at, row = first.setdefault(key, (split, number, index))
                if other != split:
                    raise DataError(
                        f"{part.place(index)}: its {role} is in the {other} split too"
                        f" ({parts[at].place(row)}), but the row is in {split}",
                        hint="published splits leak: remove the rows, or data.split_column to divide anew",
                    )


def _text_keys(part: Checked) -> Iterator[bytes]:
    from tasks.develop.datasets.duplicates import text_keys

    return (bytes(key) for key in text_keys(part.table.column("text").to_pylist()))


def _groups(part: Checked) -> Iterator[str]:
    return iter(part.table.column("group").to_pylist())
