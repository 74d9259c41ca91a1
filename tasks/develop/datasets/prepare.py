"""Source → stages → splits as Parquet in the store, with digests of content and a quality report.

dataset = prepare_dataset(project, store, shelf)  # the same rows and settings: the same digest
rows = load_split(store, dataset, "train")        # hashed again, and only if quality passed

Stages in this order: read, normalise, pii, duplicates, near-duplicates, language, split, contamination,
balance. With a shelf each is done once for its input, settings and code: a run that was killed goes on
behind the last finished stage, and one in which nothing changed reads the source's bytes and no more.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from infra.code import code_digest
from infra.config.data import DataSettings
from infra.config.project import Project
from infra.digest import digest_json, digest_table, hex_of
from infra.errors import IntegrityError
from infra.handover import Shelf
from infra.store import Store
from tasks.develop.datasets.balance import balance_stage
from tasks.develop.datasets.contamination import contamination_stage
from tasks.develop.datasets.duplicates import duplicates_stage
from tasks.develop.datasets.language import language_stage
from tasks.develop.datasets.near_duplicates import near_duplicates_stage
from tasks.develop.datasets.normalise import normalise_stage
from tasks.develop.datasets.personal import personal_stage
from tasks.develop.datasets.sources import Found, Source, open_source
from tasks.develop.datasets.split import SPLITS, split_stage
from tasks.develop.datasets.stages import Line, Outcome, Stage, stage_key
from tasks.develop.datasets.tables import COLUMNS, ChunkMap, get_table, map_here, parquet_bytes
from tasks.develop.quality import check_quality, require_quality
from tasks.records import DatasetVersion, Digest, QualityReport, Row, SplitName
from tasks.records.data import SourceInfo, StageReport

if TYPE_CHECKING:
    import pyarrow as pa

# What reading depends on, besides the bytes: where they are does not count.
_READING = {
    "source", "text_column", "label_column", "group_column", "id_column", "split_column", "licence_column",
    "source_column", "labels", "licence", "max_line_bytes",
}  # fmt: skip
_CHECKING = (
    "tasks.develop.quality",
    "tasks.develop.expectations",
    "tasks.records.quality",
    "infra.guard.pii",
    "infra.guard.canonicalise",
)
_READERS = (
    "infra.packages",
    *(
        f"tasks.develop.datasets.{name}"
        for name in ("attack", "cells", "checks", "files", "lines", "rows", "sources", "weakness")
    ),
)


def prepare_dataset(
    project: Project,
    store: Store,
    shelf: Shelf | None = None,
    *,
    map_chunks: ChunkMap = map_here,
    watch: Callable[[StageReport], None] | None = None,
) -> DatasetVersion:
    """The prepared data set, stored, with what each stage did and what its quality check found.

    `watch` is called after each stage. A failed check is recorded, not raised, so that it can be logged
    first: call `require_quality` on it; `load_split` refuses such a data set in any case. Raises DataError
    when rows cannot be read or split, IntegrityError when stored results were altered, and what reading an
    object raises (ConfigError, Unavailable).
    """
    data = project.data
    line = Line(store, shelf, map_chunks, watch or _ignore)
    with open_source(data, project.root) as source:
        info = _read(line, source, data, shelf)
    for stage in stages(data):
        line.run(stage)
    splits = _splits(line.table)
    stored = {name: store.put_bytes(parquet_bytes(table)) for name, table in splits.items()}
    content = {name: digest_table(table) for name, table in splits.items()}
    quality = _quality(splits, content, info, data, shelf)
    dropped = sum((Counter(report.dropped) for report in line.reports), Counter[str]())
    return DatasetVersion(
        name=project.name,
        digest=_identity(info, content, data.licence),
        splits=stored,
        content=content,
        rows={name: table.num_rows for name, table in splits.items()},
        labels=info.labels,
        source=info.source,
        source_bytes=info.bytes,
        licence=data.licence,
        notice=info.notice,
        dropped=dict(sorted(dropped.items())),
        stages=line.reports,
        quality=quality,
    )


def stages(data: DataSettings) -> Iterator[Stage]:
    """What is done with the rows that were read, in order; stages that are off are left out."""
    yield normalise_stage(data)
    yield personal_stage(data)
    yield duplicates_stage(data)
    for optional in (near_duplicates_stage(data), language_stage(data)):
        if optional is not None:
            yield optional
    yield split_stage(data)
    yield contamination_stage(data)
    yield balance_stage(data)


def load_split(store: Store, dataset: DatasetVersion, split: SplitName) -> list[Row]:
    """The rows of a split, verified; raises as `load_table` does."""
    return [Row.model_validate(cells) for cells in load_table(store, dataset, split).to_pylist()]


def load_table(store: Store, dataset: DatasetVersion, split: SplitName) -> "pa.Table":
    """A split as an Arrow table of the columns `COLUMNS`, verified.

    Raises IntegrityError when bytes or content are not those recorded, DataError when quality failed.
    """
    require_quality(dataset.quality)
    table = get_table(store, dataset.splits[split], f"{dataset.name}: {split} split")
    if (got := digest_table(table)) != dataset.content[split]:
        raise IntegrityError(
            f"{dataset.name}: {split} split has content {got}, expected {dataset.content[split]}"
        )
    return table


def _read(line: Line, source: Source, data: DataSettings, shelf: Shelf | None) -> SourceInfo:
    """The first stage: the source's rows and where they come from, kept together."""
    settings = data.model_dump(mode="json", include=_READING)
    settings["named"] = data.object or (data.path.name if data.path else "")
    key = stage_key("read", source.digest, settings, _READERS)
    place = f"data/source/{hex_of(key)}"
    known = [info] if shelf and (info := shelf.get(place, SourceInfo)) else []

    def read() -> tuple[Outcome, int]:
        found: Found = source.read()
        known[:] = [found.info]
        if shelf:
            shelf.put(place, found.info)
        return Outcome(found.table, found.dropped), found.rows

    line.begin("read", settings, key, read, again=not known)
    return known[0]


def _splits(table: "pa.Table") -> "dict[SplitName, pa.Table]":
    import pyarrow.compute as pc

    return {name: table.filter(pc.equal(table.column("split"), name)).select(COLUMNS) for name in SPLITS}


def _quality(
    splits: "dict[SplitName, pa.Table]",
    content: dict[SplitName, Digest],
    info: SourceInfo,
    data: DataSettings,
    shelf: Shelf | None,
) -> QualityReport:
    limits = {"min_rows": data.min_rows, "max_characters": data.max_characters}

    def check() -> QualityReport:
        return check_quality(splits, labels=info.labels, **limits)

    if shelf is None:
        return check()
    code = code_digest(*_CHECKING)
    inputs = {"content": content, "labels": list(info.labels), "limits": limits, "code": code}
    return shelf.once("data/quality", inputs, QualityReport, check)


def _identity(info: SourceInfo, content: dict[SplitName, Digest], licence: str) -> Digest:
    # Over content, not over Parquet bytes: those change with the library that wrote them.
    return digest_json(
        {
            "content": content,
            "labels": list(info.labels),
            "source": info.source,
            "licence": licence,
            "notice": info.notice,
        }
    )


def _ignore(_report: StageReport) -> None: ...
