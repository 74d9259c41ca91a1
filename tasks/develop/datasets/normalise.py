"""Stage "normalise": one form of every text, nothing hidden in it, and rows that cannot be used left out.

stage = normalise_stage(project.data)
normalise_chunk(table, max_characters=2000)
"""

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from pydantic import JsonValue

from infra.config.data import DataSettings
from infra.guard.canonicalise import visible
from tasks.develop.datasets.rows import normalised
from tasks.develop.datasets.stages import Outcome, Stage
from tasks.develop.datasets.tables import ChunkMap, chunks, joined

if TYPE_CHECKING:
    import pyarrow as pa

# A text that does not match is its own normal form: printable ASCII with single spaces inside.
_ODD = r"[^\x20-\x7e]|  |^ | $"
HIDDEN = "hidden characters removed"


def normalise_stage(data: DataSettings) -> Stage:
    """White space and Unicode in one form, hidden characters out, licences as allowed, length bounded."""
    settings: dict[str, JsonValue] = {
        "max_characters": data.max_characters,
        "allowed_licences": list(data.allowed_licences),
    }
    work = partial(
        normalise_chunk, max_characters=data.max_characters, allowed_licences=data.allowed_licences
    )
    modules = ("tasks.develop.datasets.normalise", "tasks.develop.datasets.rows", "infra.guard.canonicalise")
    return Stage("normalise", settings, modules, partial(each_chunk, work))


def each_chunk(work: "partial[Outcome]", table: "pa.Table", map_chunks: ChunkMap) -> Outcome:
    """`work` on every chunk, its tables joined and its counts added."""
    dropped: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    parts = []
    for outcome in map_chunks(work, chunks(table)):
        parts.append(outcome.table)
        dropped.update(outcome.dropped)
        changed.update(outcome.changed)
    return Outcome(joined(parts, table.column_names), dropped, changed)


def normalise_chunk(
    table: "pa.Table", *, max_characters: int, allowed_licences: tuple[str, ...] = ()
) -> Outcome:
    """The chunk's rows in normal form; pure."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = table.column("text").combine_chunks()
    odd = pc.match_substring_regex(texts, _ODD)
    raw = texts.filter(odd).to_pylist()
    seen = [visible(text) for text in raw]
    changed = {HIDDEN: sum(map(str.__ne__, raw, seen))}
    texts = pc.replace_with_mask(texts, odd, pa.array([normalised(text) for text in seen], pa.string()))
    table = table.set_column(table.column_names.index("text"), "text", texts)
    reasons = {
        "empty text": pc.equal(pc.utf8_length(texts), 0),
        f"longer than {max_characters} characters": pc.greater(pc.utf8_length(texts), max_characters),
    }
    if allowed_licences:
        reasons["licence not allowed"] = pc.invert(
            pc.is_in(table.column("licence"), pa.array(allowed_licences))
        )
    return without(table, reasons, changed)


def without(
    table: "pa.Table", reasons: "dict[str, pa.Array | pa.ChunkedArray]", changed: dict[str, int] | None = None
) -> Outcome:
    """The table without the rows that have a reason; the first reason counts."""
    import numpy as np
    import pyarrow as pa

    kept = np.ones(table.num_rows, dtype=bool)
    dropped = {}
    for reason, mask in reasons.items():
        against = kept & np.asarray(mask)
        dropped[reason] = int(against.sum())
        kept &= ~against
    return Outcome(table.filter(pa.array(kept)), dropped, changed or {})
