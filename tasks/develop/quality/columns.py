"""The narrow table that is checked: sizes and flags of every row, and no cell of its text.

table = derive_columns({"train": rows, "validation": rows, "test": rows}, labels=("a", "b"))

Each column is computed once, over whole Arrow columns. The only words in it are split names, allowed labels
and one placeholder for every other label, so nothing that is planted in a row can get into a report.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tasks.develop.quality.hidden import hidden_flags, personal_flags
from tasks.develop.quality.scan import Scanned, scan_texts
from tasks.records import SplitName

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

TEXT_COLUMNS = ("text", "label", "group", "licence", "source")
NEAR_DUPLICATE = "near_duplicate"
"""Optional column: rows that the preparation knows to be near another one."""
_OTHER = "(not allowed)"


def derive_columns(
    tables: Mapping[SplitName, "pa.Table"], labels: Sequence[str], scanned: Scanned | None = None
) -> "pa.Table":
    """One row for every row of `tables`, split after split; an absent column counts as nothing but nulls.

    Columns: split, label, n_chars, n_words, and flags text_null, hidden_unicode, duplicate, near_duplicate,
    leaked, contaminated, personal_data, licence_present, source_present.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    text = {name: text_column(table, "text") for name, table in tables.items()}
    scanned = scanned or scan_texts(text)
    whole = {name: _all(tables, name) for name in TEXT_COLUMNS}
    trimmed = pc.fill_null(pc.utf8_trim_whitespace(whole["text"]), "")
    columns = {
        "split": _splits(tables),
        "label": _labels(whole["label"], labels),
        "n_chars": pc.utf8_length(trimmed),
        "n_words": pa.array(scanned.words),
        "text_null": pc.equal(pc.binary_length(trimmed), 0),
        "hidden_unicode": pa.array(hidden_flags(whole["text"])),
        "duplicate": pa.array(scanned.duplicate),
        "near_duplicate": pa.array(scanned.same_words | _given(tables)),
        "leaked": pa.array(scanned.leaked),
        "contaminated": pa.array(scanned.contaminated),
        "personal_data": pa.array(personal_flags(whole["text"])),
        "licence_present": _present(whole["licence"]),
        "source_present": _present(whole["source"]),
    }
    return pa.table(columns)


def text_column(table: "pa.Table", name: str) -> "pa.ChunkedArray":
    """A column as large strings; nulls when the table has none of this name."""
    import pyarrow as pa

    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(table.num_rows, pa.large_string())])
    return table.column(name).cast(pa.large_string())


def _all(tables: Mapping[SplitName, "pa.Table"], name: str) -> "pa.ChunkedArray":
    import pyarrow as pa

    chunks = [chunk for table in tables.values() for chunk in text_column(table, name).chunks]
    return pa.chunked_array(chunks, pa.large_string())


def _given(tables: Mapping[SplitName, "pa.Table"]) -> "NDArray[np.bool_]":
    import numpy as np

    none = np.zeros(0, np.bool_)
    return np.concatenate(
        [none]
        + [
            np.asarray(table.column(NEAR_DUPLICATE).fill_null(True), np.bool_)
            if NEAR_DUPLICATE in table.column_names
            else np.zeros(table.num_rows, np.bool_)
            for table in tables.values()
        ]
    )


def _splits(tables: Mapping[SplitName, "pa.Table"]) -> "pa.DictionaryArray":
    import numpy as np
    import pyarrow as pa

    sizes = [table.num_rows for table in tables.values()]
    return pa.DictionaryArray.from_arrays(
        pa.array(np.repeat(np.arange(len(sizes), dtype=np.int8), sizes)), pa.array(list(tables), pa.string())
    )


def _labels(column: "pa.ChunkedArray", labels: Sequence[str]) -> "pa.DictionaryArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    number = pc.index_in(column, pa.array(labels, pa.large_string()))
    number = pc.if_else(pc.is_null(column), None, pc.fill_null(number, len(labels)))
    words = pa.array([*labels, _OTHER], pa.string())
    return pa.DictionaryArray.from_arrays(_one(number), words)


def _present(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    return pc.fill_null(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(column)), 0), False)


def _one(column: "pa.ChunkedArray") -> "pa.Array":
    import pyarrow as pa

    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if isinstance(joined, pa.ChunkedArray) else joined
