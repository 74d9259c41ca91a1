"""Stage "duplicates": every text once, none under several labels, rows in one order for good.

stage = duplicates_stage(project.data)
From here on the order of rows depends on their content alone, and so does all that follows.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from infra.config.data import DataSettings
from infra.digest import PREFIX
from tasks.develop.datasets.checks import published_split
from tasks.develop.datasets.rows import identity
from tasks.develop.datasets.stages import Outcome, Stage
from tasks.develop.datasets.tables import COLUMNS, ChunkMap, chunks

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

# A row of a published test split is kept rather than its copy in training.
_PRECEDENCE = {"test": "0", "validation": "1", "train": "2"}


def duplicates_stage(_data: DataSettings) -> Stage:
    """Exact duplicates and contradictions: same text once case and white space are ignored."""
    modules = ("tasks.develop.datasets.duplicates", "tasks.develop.datasets.rows")
    return Stage("duplicates", {}, modules, remove_duplicates)


def remove_duplicates(table: "pa.Table", map_chunks: ChunkMap) -> Outcome:
    """Rows sorted by text and group; of copies, the one whose group sorts first stays."""
    import numpy as np
    import pyarrow as pa

    texts = table.select(["text"])
    keys = np.concatenate(list(map_chunks(chunk_keys, chunks(texts))))
    table = _with_groups(table, keys)
    first, second = keys.view(">u8").reshape(-1, 4)[:, :2].T
    order = np.lexsort((second, first))
    starts = np.flatnonzero(np.r_[True, (np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)])
    sizes = np.diff(np.r_[starts, len(order)])
    labels = table.column("label").combine_chunks().dictionary_encode().indices.to_numpy()[order]
    several = np.maximum.reduceat(labels, starts) != np.minimum.reduceat(labels, starts)
    kept = np.zeros(table.num_rows, dtype=bool)
    kept[order[starts[(sizes == 1) & ~several]]] = True
    copied = np.repeat((sizes > 1) & ~several, sizes)
    kept[_first_copies(table, order[copied], np.repeat(np.arange(len(sizes)), sizes)[copied])] = True
    contradictory = int(sizes[several].sum())
    table = table.filter(pa.array(kept)).sort_by([(name, "ascending") for name in ("text", "group")])
    dropped = {
        "same text with several labels": contradictory,
        "duplicate": len(kept) - int(kept.sum()) - contradictory,
    }
    return Outcome(table, dropped)


def chunk_keys(table: "pa.Table") -> "NDArray[np.uint8]":
    """SHA-256 of each text's identity: an array of rows × 32."""
    import numpy as np

    return np.frombuffer(b"".join(text_keys(table.column("text").to_pylist())), dtype=np.uint8).reshape(
        -1, 32
    )


def text_keys(texts: Iterable[str]) -> Iterable[bytes]:
    """SHA-256 of each text's identity."""
    return (hashlib.sha256(identity(text).encode()).digest() for text in texts)


def _with_groups(table: "pa.Table", keys: "NDArray[np.uint8]") -> "pa.Table":
    """Rows without a group get the text's own, by digest."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    groups = table.column("group")
    if groups.null_count == 0:
        return table
    lacking = groups.is_null()
    own = [PREFIX + keys[row].tobytes().hex() for row in np.flatnonzero(np.asarray(lacking))]
    filled = pc.replace_with_mask(
        groups.combine_chunks(), lacking.combine_chunks(), pa.array(own, pa.string())
    )
    return table.set_column(table.column_names.index("group"), "group", filled)


def _first_copies(
    table: "pa.Table", rows: "NDArray[np.int64]", text: "NDArray[np.int64]"
) -> "NDArray[np.int64]":
    """Of `rows`, the first of each `text` (a number for each distinct one) by split, group and content."""
    import numpy as np
    import pyarrow as pa

    if not len(rows):
        return rows
    part = table.take(rows).append_column("copies_of", pa.array(text)).append_column("row", pa.array(rows))
    by = ["copies_of", "group", *(name for name in COLUMNS if name != "group")]
    if "split" in table.column_names:
        rank = [_PRECEDENCE[published_split(name)] for name in part.column("split").to_pylist()]
        part = part.append_column("precedence", pa.array(rank))
        by.insert(1, "precedence")
    part = part.sort_by([(name, "ascending") for name in by])
    numbers = part.column("copies_of").to_numpy()
    found: NDArray[np.int64] = part.column("row").to_numpy()[np.r_[True, np.diff(numbers) != 0]]
    return found
