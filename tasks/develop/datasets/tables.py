"""Prepared rows as Arrow tables: their columns, their chunks, and how they lie in the store.

digest = put_table(store, table)          # the same rows give the same bytes, however they were chunked
for chunk in chunks(get_table(store, digest)): ...
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol, TypeVar

from infra.errors import IntegrityError
from infra.store import Store
from tasks.records import Digest

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("text", "label", "group", "licence", "source")
"""Of every prepared row; all string."""
CHUNK_ROWS = 1 << 15

A = TypeVar("A")
B = TypeVar("B")


class ChunkMap(Protocol):
    """Calls a function on every chunk, anywhere, and hands on the results in the order of the chunks.

    The function is a top-level function or a `functools.partial` of one: it can be sent elsewhere.
    """

    def __call__(self, function: Callable[[A], B], chunks: Iterable[A], /) -> Iterable[B]:
        """Results in the order of `chunks`."""


def map_here(function: Callable[[A], B], chunks: Iterable[A], /) -> Iterator[B]:
    """The chunks one after the other, in this process."""
    return map(function, chunks)


def chunks(table: "pa.Table", rows: int = CHUNK_ROWS) -> Iterator["pa.Table"]:
    """The table in parts of `rows` rows with memory of their own: a pickled view takes all of it along."""
    import numpy as np

    for start in range(0, table.num_rows, rows):
        yield table.take(np.arange(start, min(start + rows, table.num_rows)))


def table_of(columns: dict[str, "pa.Array | pa.ChunkedArray"]) -> "pa.Table":
    """A table of string columns."""
    import pyarrow as pa

    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in columns]))


def joined(parts: Iterable["pa.Table"], columns: Iterable[str]) -> "pa.Table":
    """The parts as one table; without parts, one of `columns` without rows."""
    import pyarrow as pa

    found = list(parts)
    if not found:
        return pa.schema([(name, pa.string()) for name in columns]).empty_table()
    return pa.concat_tables(found)


def parquet_bytes(table: "pa.Table") -> bytes:
    """Parquet of the table; the bytes do not depend on how the table is chunked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    # Texts are distinct: a dictionary of them would be built and thrown away.
    coded = [name for name in table.column_names if name not in ("text", "group")]
    with pq.ParquetWriter(sink, table.schema, compression="zstd", use_dictionary=coded) as writer:
        for start in range(0, table.num_rows, CHUNK_ROWS):
            writer.write_table(table.slice(start, CHUNK_ROWS).combine_chunks())
    return bytes(sink.getvalue())


def read_parquet(raw: bytes, name: str) -> "pa.Table":
    """The table; raises IntegrityError when the bytes are not readable Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(pa.BufferReader(raw)).read()
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"{name} is not readable Parquet: {error}") from error


def put_table(store: Store, table: "pa.Table") -> Digest:
    """Store the table as Parquet; returns the digest of its bytes."""
    return store.put_bytes(parquet_bytes(table))


def get_table(store: Store, digest: Digest, name: str = "table") -> "pa.Table":
    """A stored table, verified; raises IntegrityError."""
    return read_parquet(store.get_bytes(digest), name)
