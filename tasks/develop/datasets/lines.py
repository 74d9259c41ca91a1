"""Lines of a text file, strictly: UTF-8, bounded, each with its number.

for number, line in byte_lines(file, limit=1 << 20): ...
"""

import codecs
from collections.abc import Iterator
from pathlib import Path

from infra.errors import DataError

_CONVERT = "convert the file to UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"
# The longer mark first: UTF-32's begins like UTF-16's.
_FOREIGN = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def byte_lines(file: Path, limit: int) -> Iterator[tuple[int, bytes]]:
    """Numbered lines with their ends; a UTF-8 mark at the start is skipped.

    Cut at LF alone: JSON allows U+2028 and the like inside a string. Raises DataError for UTF-16 and
    UTF-32, for NUL bytes and for a line of more than `limit` bytes, without reading that line to its end.
    """
    with file.open("rb") as stream:
        start = stream.read(4)
        for mark, name in _FOREIGN:
            if start.startswith(mark):
                raise DataError(f"{file}: is {name} (byte order mark), expected UTF-8", hint=_CONVERT)
        stream.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
        number = 0
        while line := stream.readline(limit + 1):
            number += 1
            if len(line) > limit and not line.endswith(b"\n"):
                raise DataError(
                    f"{file}:{number}: a line of more than {limit} bytes",
                    hint="one row a line; raise data.max_line_bytes if rows are meant to be that long",
                )
            if b"\0" in line:
                raise DataError(f"{file}:{number}: holds NUL bytes, perhaps UTF-16", hint=_CONVERT)
            yield number, line


def text_lines(file: Path, limit: int) -> Iterator[str]:
    """The lines of `byte_lines` as text; raises DataError naming the line that is not UTF-8."""
    for number, line in byte_lines(file, limit):
        yield as_text(file, number, line)


def as_text(file: Path, number: int, line: bytes) -> str:
    """A line as text; raises DataError when it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file}:{number}: byte 0x{line[error.start]:02x} is not UTF-8", hint=_CONVERT
        ) from error
