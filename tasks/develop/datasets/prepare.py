"""Source → clean rows → splits → Parquet in the store, with digests of content and a quality report.

dataset = prepare_dataset(project, store)         # the same rows and settings: the same digest
rows = load_split(store, dataset, "train")        # hashed again, and only if quality passed
"""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.config.project import Project
from infra.digest import digest_json, digest_table
from infra.errors import IntegrityError
from infra.store import Store
from tasks.develop.datasets.clean import clean_rows, refuse_leaks
from tasks.develop.datasets.rows import SourceRows
from tasks.develop.datasets.sources import read_rows
from tasks.develop.datasets.split import split_rows
from tasks.develop.quality import check_quality, require_quality
from tasks.records import DatasetVersion, Digest, Row, SplitName

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = ("text", "label", "group")


def prepare_dataset(project: Project, store: Store) -> DatasetVersion:
    """The prepared data set, stored, with what its quality check found.

    A failed check is recorded, not raised, so that it can be logged first: call `require_quality` on it.
    `load_split` refuses such a data set in any case. Raises DataError when rows cannot be read or split.
    """
    data = project.data
    found = read_rows(data, project.root)
    rows, removed = clean_rows(found.rows, data.max_characters)
    splits = split_rows(rows, data.split)
    refuse_leaks(splits)
    surplus = len(rows) - sum(map(len, splits.values()))
    quality = check_quality(
        splits, labels=found.labels, min_rows=data.min_rows, max_characters=data.max_characters
    )
    stored: dict[SplitName, Digest] = {}
    content: dict[SplitName, Digest] = {}
    for name, part in splits.items():
        table = to_table(part)
        stored[name], content[name] = store.put_bytes(_parquet_bytes(table)), digest_table(table)
    dropped = Counter(found.dropped) + Counter(removed) + Counter({"more than the splits take": surplus})
    return DatasetVersion(
        name=project.name,
        digest=_identity(found, content, data.licence),
        splits=stored,
        content=content,
        rows={name: len(part) for name, part in splits.items()},
        labels=found.labels,
        source=found.source,
        licence=data.licence,
        notice=found.notice,
        dropped=dict(sorted(dropped.items())),
        quality=quality,
    )


def load_split(store: Store, dataset: DatasetVersion, split: SplitName) -> list[Row]:
    """The rows of a split, verified.

    Raises IntegrityError when bytes or content are not those recorded, DataError when quality failed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_quality(dataset.quality)
    raw = store.get_bytes(dataset.splits[split])
    try:
        table = pq.read_table(pa.BufferReader(raw))
    except (pa.ArrowException, OSError) as error:
        raise IntegrityError(f"{dataset.name}: {split} split is not readable Parquet: {error}") from error
    if (got := digest_table(table)) != dataset.content[split]:
        raise IntegrityError(
            f"{dataset.name}: {split} split has content {got}, expected {dataset.content[split]}"
        )
    return [Row.model_validate(cells) for cells in table.to_pylist()]


def to_table(rows: Sequence[Row]) -> "pa.Table":
    """Rows as Arrow columns `text`, `label`, `group`, in their order."""
    import pyarrow as pa

    columns = {name: [getattr(row, name) for row in rows] for name in _COLUMNS}
    return pa.table(columns, schema=pa.schema([(name, pa.string()) for name in _COLUMNS]))


def _parquet_bytes(table: "pa.Table") -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return bytes(sink.getvalue())


def _identity(found: SourceRows, content: dict[SplitName, Digest], licence: str) -> Digest:
    # Over content, not over Parquet bytes: those change with the library that wrote them.
    return digest_json(
        {
            "content": content,
            "labels": list(found.labels),
            "source": found.source,
            "licence": licence,
            "notice": found.notice,
        }
    )
