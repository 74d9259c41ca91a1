"""Your own labelled text: JSON Lines, CSV, Parquet, or a directory that `datasets` saved.

Every complaint names the file and the line (or row) that it is about, never the text itself.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets.rows import SourceRows, check_label, text_group
from tasks.records import Row

Cells = Mapping[str, Any]
# Where a row stands ("file:line") and its cells by column name.
Placed = tuple[str, Cells]


def read_files(data: DataSettings, root: Path) -> SourceRows:
    """Rows of `data.path`: a file, or a directory of files of that kind.

    Raises DataError (absent, empty, not UTF-8, malformed, missing column, missing or unknown label).
    """
    if data.path is None:
        raise DataError(f"data.path: source {data.source!r} needs the path of your data")
    path = data.path if data.path.is_absolute() else root / data.path
    if not path.exists():
        raise DataError(f"{path}: no such file or directory", hint="data.path starts at the project file")
    rows: list[Row] = []
    dropped: Counter[str] = Counter()
    for file in [path] if data.source == "hf" else _files(path, data.source):
        before = len(rows) + dropped.total()
        for where, cells in _READERS[data.source](file):
            row = _row(where, cells, data)
            if row is None:
                dropped["empty text"] += 1
            else:
                rows.append(row)
        if len(rows) + dropped.total() == before:
            raise DataError(f"{file}: holds no rows", hint="expected one labelled text a row")
    labels = data.labels or tuple(sorted({row.label for row in rows}))
    return SourceRows(rows, dict(dropped), "", f"{data.source} {path.name}", labels)


def _files(path: Path, kind: str) -> list[Path]:
    if path.is_file():
        return [path]
    if found := sorted(path.glob(f"*.{kind}")):
        return found
    raise DataError(f"{path}: holds no *.{kind} file", hint="set data.path to a file, or check data.source")


def _row(where: str, cells: Cells, data: DataSettings) -> Row | None:
    wanted = [data.text_column, data.label_column, *([data.group_column] if data.group_column else [])]
    if missing := [name for name in wanted if name not in cells]:
        raise DataError(
            f"{where}: no column {missing[0]!r}, got {', '.join(map(repr, cells)) or 'none'}",
            hint="set data.text_column, data.label_column and data.group_column to your column names",
        )
    text = cells[data.text_column]
    if text is None or (isinstance(text, str) and not text.strip()):
        return None
    label = _filled(where, cells, data.label_column)
    if not isinstance(text, str):
        raise DataError(f"{where}: column {data.text_column!r} holds {type(text).__name__}, expected text")
    if data.labels:
        check_label(label, data.labels, where)
    group = _filled(where, cells, data.group_column) if data.group_column else text_group(text)
    return Row(text=text, label=label, group=group)


def _filled(where: str, cells: Cells, column: str) -> str:
    value = cells[column]
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        got = "nothing" if value is None or isinstance(value, str) else type(value).__name__
        raise DataError(
            f"{where}: column {column!r} holds {got}, expected text", hint="fill or remove the row"
        )
    return value.strip()


def _text_of(file: Path) -> str:
    raw = file.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{file}:{line}: byte 0x{raw[error.start]:02x} is not UTF-8", hint="convert the file to UTF-8"
        ) from error


def _jsonl(file: Path) -> Iterator[Placed]:
    # Not splitlines(): it also cuts at U+2028 and the like, which JSON allows inside a string.
    for number, line in enumerate(_text_of(file).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            cells = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{where}: malformed JSON: {error}", hint="one JSON object a line") from error
        if not isinstance(cells, dict):
            raise DataError(f"{where}: got {type(cells).__name__}, expected a JSON object")
        yield where, cells


def _csv(file: Path) -> Iterator[Placed]:
    reader = csv.DictReader(io.StringIO(_text_of(file), newline=""), strict=True)
    try:
        header = reader.fieldnames or []
        if len(set(header)) != len(header):
            raise DataError(f"{file}:1: two columns have the same name", hint="name every column once")
        for cells in reader:
            where = f"{file}:{reader.line_num}"
            if None in cells or None in cells.values():
                raise DataError(f"{where}: the row has not the {len(header)} cells of the header")
            yield where, cells
    except csv.Error as error:
        # The outer reader counts only the lines that it has handed on.
        where = f"{file}:{reader.reader.line_num}"
        raise DataError(f"{where}: malformed CSV: {error}", hint="quote the cells") from error


def _parquet(file: Path) -> Iterator[Placed]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file}: cannot be read as Parquet: {error}", hint="write it again") from error
    if table.num_rows == 0:
        return
    for number, cells in enumerate(table.to_pylist(), start=1):
        yield f"{file}: row {number}", cells


def _hf(path: Path) -> Iterator[Placed]:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a saved data set: {error}", hint="write it with datasets' save_to_disk"
        ) from error
    # Published splits are joined: ours follow the groups and the seed.
    parts = loaded.items() if isinstance(loaded, datasets.DatasetDict) else [("data", loaded)]
    for name, part in parts:
        classes = {
            column: feature
            for column, feature in part.features.items()
            if isinstance(feature, datasets.ClassLabel)
        }
        for number, cells in enumerate(part, start=1):
            where = f"{path}: {name} row {number}"
            yield where, {column: _class_name(classes, column, cell, where) for column, cell in cells.items()}


def _class_name(classes: Mapping[str, Any], column: str, cell: Any, where: str) -> Any:
    if column not in classes or cell is None:
        return cell
    try:
        return classes[column].int2str(cell)
    except ValueError as error:  # -1 is what published test splits hold instead of a label
        raise DataError(f"{where}: column {column!r} holds class {cell}, which has no name") from error


_READERS: dict[str, Callable[[Path], Iterator[Placed]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _parquet,
    "hf": _hf,
}
