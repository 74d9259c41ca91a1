"""The one door to labelled text, whatever its source.

with open_source(project.data, project.root) as source:
    source.digest                    # of the bytes, before a row is looked at
    found = source.read()            # found.table, found.rows, found.dropped, found.info
"""

import contextlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.config.data import DataSettings
from infra.digest import digest_file, digest_json, digest_manifest, digest_tree
from infra.errors import DataError
from infra.packages import package_version
from tasks.develop.datasets.attack import PACKAGE as ATTACK
from tasks.develop.datasets.attack import read_attack
from tasks.develop.datasets.checks import Checked, check_cells, refuse_published_leaks, refuse_repeated_ids
from tasks.develop.datasets.files import read_file, source_files
from tasks.develop.datasets.rows import PackagedRows
from tasks.develop.datasets.tables import COLUMNS, joined, table_of
from tasks.develop.datasets.weakness import PACKAGE as CWE
from tasks.develop.datasets.weakness import read_weaknesses
from tasks.records import Digest
from tasks.records.data import SourceInfo

if TYPE_CHECKING:
    import pyarrow as pa

_PACKAGES: Mapping[str, tuple[str, Callable[[DataSettings], PackagedRows]]] = {
    "attack-stix": (ATTACK, read_attack),
    "cwe": (CWE, read_weaknesses),
}


@dataclass(frozen=True)
class Found:
    """What a source holds: usable rows, how many there were, and what was left out and why."""

    table: "pa.Table"
    """`COLUMNS` and, if published splits are kept, `split`; a null group: by text."""
    rows: int
    dropped: Mapping[str, int]
    info: SourceInfo


@dataclass(frozen=True)
class Source:
    """A source whose bytes are known and whose rows can be read."""

    digest: Digest
    read: Callable[[], Found]


@contextlib.contextmanager
def open_source(data: DataSettings, root: Path) -> Iterator[Source]:
    """The configured source, an object fetched first; relative paths start at `root`.

    Raises DataError; Unavailable and ConfigError as `fetch_object` does.
    """
    if data.source in _PACKAGES:
        package, reader = _PACKAGES[data.source]
        digest = digest_json([package, package_version(package)])
        yield Source(digest, lambda: _packaged(reader(data), data, digest))
    elif data.object is not None:
        from infra.objects import fetch_object

        with tempfile.TemporaryDirectory(prefix="assay-object-") as directory:
            file = Path(directory) / Path(data.object).name
            digest = fetch_object(
                data.object, file, max_bytes=data.max_object_bytes, endpoint=data.object_endpoint
            )
            yield Source(digest, lambda: _from_files([file], data, digest, data.object or ""))
    elif data.path is not None:
        path = data.path if data.path.is_absolute() else root / data.path
        files = source_files(path, data.source)
        digest = _digest(path, files)
        yield Source(digest, lambda: _from_files(files, data, digest, path.name))


def read_source(data: DataSettings, root: Path) -> Found:
    """Open and read at once; raises as `open_source` and reading do."""
    with open_source(data, root) as source:
        return source.read()


def _digest(path: Path, files: list[Path]) -> Digest:
    if path.is_file():
        return digest_file(path)
    if files == [path]:
        return digest_tree(path)
    return digest_manifest({file.name: digest_file(file) for file in files})


def _packaged(found: PackagedRows, data: DataSettings, digest: Digest) -> Found:
    import pyarrow as pa

    rows = found.rows
    columns = {name: pa.array([getattr(row, name) for row in rows], pa.string()) for name in COLUMNS[:3]}
    columns |= _constant({"licence": data.licence, "source": found.source}, len(rows))
    info = SourceInfo(source=found.source, bytes=digest, notice=found.notice, labels=found.labels)
    return _usable(Found(table_of(columns), len(rows) + sum(found.dropped.values()), found.dropped, info))


def _from_files(files: Iterable[Path], data: DataSettings, digest: Digest, name: str) -> Found:
    parts: list[Checked] = []
    for file in files:
        before = len(parts)
        parts += (check_cells(cells, data) for cells in read_file(file, data))
        if len(parts) == before:
            raise DataError(f"{file}: holds no rows", hint="expected one labelled text a row")
    refuse_repeated_ids(parts)
    refuse_published_leaks(parts)
    source = f"{data.source} {name}"
    table = joined((_complete(part.table, data, source) for part in parts), COLUMNS)
    dropped = sum((Counter(part.dropped) for part in parts), Counter[str]())
    labels = data.labels or tuple(sorted(set(table.column("label").unique().to_pylist())))
    info = SourceInfo(source=source, bytes=digest, notice="", labels=labels)
    return _usable(Found(table, table.num_rows + dropped.total(), dropped, info))


def _complete(table: "pa.Table", data: DataSettings, source: str) -> "pa.Table":
    """The part with every column of `COLUMNS`, in their order; no group column gives nulls."""
    same = _constant({"licence": data.licence, "source": source, "group": None}, table.num_rows)
    columns = same | {name: table.column(name) for name in table.column_names}
    order = [*COLUMNS, *(["split"] if "split" in columns else [])]
    return table_of({name: columns[name] for name in order})


def _constant(values: Mapping[str, str | None], rows: int) -> "dict[str, pa.Array]":
    import pyarrow as pa

    return {name: pa.repeat(pa.scalar(value, pa.string()), rows) for name, value in values.items()}


def _usable(found: Found) -> Found:
    """What was found; raises DataError when it is nothing, or one label alone."""
    info, listed = found.info, ", ".join(f"{count} {reason}" for reason, count in found.dropped.items())
    if found.table.num_rows == 0:
        raise DataError(
            f"{info.source}: none of {found.rows} rows is usable: {listed}", hint="fill the text column"
        )
    occurring = found.table.column("label").unique().to_pylist()
    if len(occurring) < 2:
        raise DataError(
            f"{info.source}: every row has label {occurring[0]!r}, expected at least two labels",
            hint="add rows of another label, or check data.label_column",
        )
    return found
