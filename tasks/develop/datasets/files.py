"""Your own labelled text: JSON Lines, CSV, Parquet, or a directory that `datasets` saved, in parts.

for cells in read_file(Path("rows.csv"), data): ...

Every complaint names the file and the line (or row) that it is about, never the text itself.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets.cells import Cells, Roles, cell_text, column_text, require_columns, wanted
from tasks.develop.datasets.lines import as_text, byte_lines, text_lines
from tasks.develop.datasets.tables import CHUNK_ROWS

if TYPE_CHECKING:
    import pyarrow as pa

# A row's number and its cells, in the order of the roles.
Numbered = tuple[int, Sequence[str | None]]


def read_file(file: Path, data: DataSettings) -> Iterator[Cells]:
    """The cells of one file, or of one saved data set, in order.

    Raises DataError (not UTF-8, malformed, missing column, cell of another type) naming line or row.
    """
    return _READERS[data.source](file, wanted(data), data)


def source_files(path: Path, kind: str) -> list[Path]:
    """The files to read: the path itself, or the files of its kind in a directory, sorted by name.

    Raises DataError when there is none.
    """
    if not path.exists():
        raise DataError(f"{path}: no such file or directory", hint="data.path starts at the project file")
    if kind == "hf" or path.is_file():
        return [path]
    if found := sorted(path.glob(f"*.{kind}")):
        return found
    raise DataError(f"{path}: holds no *.{kind} file", hint="set data.path to a file, or check data.source")


def _jsonl(file: Path, roles: Roles, data: DataSettings) -> Iterator[Cells]:
    return _in_parts(_json_rows(file, roles, data.max_line_bytes), roles, f"{file}:")


def _json_rows(file: Path, roles: Roles, limit: int) -> Iterator[Numbered]:
    import msgspec

    decode = msgspec.json.Decoder().decode
    items = list(roles.items())
    for number, line in byte_lines(file, limit):
        if not line.strip():
            continue
        try:
            cells = decode(line)
        except (ValueError, RecursionError) as error:
            as_text(file, number, line)
            raise DataError(
                f"{file}:{number}: malformed JSON: {error}", hint="one JSON object a line"
            ) from error
        if type(cells) is not dict:
            raise DataError(f"{file}:{number}: got {type(cells).__name__}, expected a JSON object")
        try:
            row = [cells[column] for _, column in items]
        except KeyError:
            require_columns(f"{file}:{number}", roles, cells)
            raise
        yield (
            number,
            [
                cell if type(cell) is str else cell_text(cell, role, column, f"{file}:{number}")
                for cell, (role, column) in zip(row, items, strict=True)
            ],
        )


def _csv(file: Path, roles: Roles, data: DataSettings) -> Iterator[Cells]:
    return _in_parts(_csv_rows(file, roles, data.max_line_bytes), roles, f"{file}:")


def _csv_rows(file: Path, roles: Roles, limit: int) -> Iterator[Numbered]:
    reader = csv.reader(text_lines(file, limit), strict=True)
    picked: list[int] | None = None
    try:
        header = next(reader, [])
        if len(set(header)) != len(header):
            raise DataError(f"{file}:1: two columns have the same name", hint="name every column once")
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise DataError(
                    f"{file}:{reader.line_num}: got {len(cells)} cells, the header has {len(header)}"
                )
            if picked is None:
                require_columns(f"{file}:{reader.line_num}", roles, header)
                picked = [header.index(column) for column in roles.values()]
            yield reader.line_num, [cells[index] for index in picked]
    except csv.Error as error:
        raise DataError(
            f"{file}:{reader.line_num}: malformed CSV: {error}", hint="quote the cells"
        ) from error


def _in_parts(rows: Iterator[Numbered], roles: Roles, before: str) -> Iterator[Cells]:
    """Rows gathered to columns, `CHUNK_ROWS` at a time."""
    import pyarrow as pa

    numbers: list[int] = []
    columns: list[list[str | None]] = [[] for _ in roles]

    def part() -> Cells:
        arrays = (pa.array(column, pa.string()) for column in columns)
        return Cells(dict(zip(roles, arrays, strict=True)), before, tuple(numbers))

    for number, cells in rows:
        numbers.append(number)
        for column, cell in zip(columns, cells, strict=True):
            column.append(cell)
        if len(numbers) == CHUNK_ROWS:
            yield part()
            numbers, columns = [], [[] for _ in roles]
    if numbers:
        yield part()


def _parquet(file: Path, roles: Roles, _data: DataSettings) -> Iterator[Cells]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    start = 1
    try:
        source = pq.ParquetFile(file)
        require_columns(f"{file}: row 1", roles, source.schema_arrow.names)
        for batch in source.iter_batches(CHUNK_ROWS, columns=list(dict.fromkeys(roles.values()))):
            yield _of_batch(batch, roles, f"{file}: row ", start)
            start += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file}: cannot be read as Parquet: {error}", hint="write it again") from error


def _of_batch(batch: "pa.RecordBatch", roles: Roles, before: str, start: int) -> Cells:
    columns = {
        role: column_text(batch.column(name), role, name, f"{before}{start}") for role, name in roles.items()
    }
    return Cells(columns, before, range(start, start + batch.num_rows))


def _hf(path: Path, roles: Roles, _data: DataSettings) -> Iterator[Cells]:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a saved data set: {error}", hint="write it with datasets' save_to_disk"
        ) from error
    # Without a split column published parts are joined: ours follow the groups and the seed.
    parts = loaded.items() if isinstance(loaded, datasets.DatasetDict) else [("data", loaded)]
    for name, part in parts:
        yield from _of_part(part, str(name), roles, f"{path}: {name} row ")


def _of_part(part: Any, name: str, roles: Roles, before: str) -> Iterator[Cells]:
    """One part of a saved data set; its name is the split of its rows when no column says so."""
    import pyarrow as pa
    from datasets import ClassLabel

    named = {role: column for role, column in roles.items() if role != "split" or column in part.features}
    require_columns(f"{before}1", named, part.features)
    rows = part.with_format("arrow")
    for start in range(0, len(part), CHUNK_ROWS):
        table = rows[start : start + CHUNK_ROWS]
        columns = {}
        for role in roles:
            if role not in named:
                columns[role] = pa.array([name] * table.num_rows)
                continue
            column = table.column(named[role]).combine_chunks()
            feature = part.features[named[role]]
            if isinstance(feature, ClassLabel):
                column = _class_names(column, feature.names, f"column {named[role]!r}", before, start)
            columns[role] = column_text(column, role, named[role], f"{before}{start + 1}")
        yield Cells(columns, before, range(start + 1, start + 1 + table.num_rows))


def _class_names(column: "pa.Array", names: list[str], what: str, before: str, start: int) -> "pa.Array":
    import pyarrow as pa
    import pyarrow.compute as pc

    # -1 is what published test splits hold instead of a label.
    unnamed = pc.or_(pc.less(column, 0), pc.greater_equal(column, len(names)))
    if (index := pc.index(unnamed, True).as_py()) >= 0:
        raise DataError(f"{before}{start + index + 1}: {what} holds class {column[index]}, which has no name")
    return pa.array(names).take(column)


_READERS: dict[str, Callable[[Path, Roles, DataSettings], Iterator[Cells]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet,
    "hf": _hf,
}
