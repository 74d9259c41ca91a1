"""A stored split of a data set, verified twice: its bytes by the store, its content by its own digest.

cells = read_split(store, dataset.splits["test"], dataset.content["test"])
"""

from infra.digest import digest_table
from infra.errors import IntegrityError
from infra.store import Store


def read_split(store: Store, stored: str, content: str) -> list[dict[str, str]]:
    """The cells of every row, by column; raises IntegrityError when bytes or content are not as recorded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    raw = store.get_bytes(stored)
    try:
        table = pq.ParquetFile(pa.BufferReader(raw)).read()
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"split {stored} is not readable Parquet: {error}") from error
    if (got := digest_table(table)) != content:
        raise IntegrityError(f"split {stored} has content {got}, expected {content}")
    rows: list[dict[str, str]] = table.to_pylist()
    return rows
