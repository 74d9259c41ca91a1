"""SHA-256 identities that do not depend on chunking, path, time or machine.

digest_json({"a": 1})            # canonical JSON (RFC 8785)
digest_table(pa.table(...))      # Arrow columns, independent of record batches
digest_tree(Path("model"))       # every file below a directory
"""

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.refusal import Reason, VerificationError

if TYPE_CHECKING:
    import pyarrow as pa

PREFIX = "sha256:"
_CHUNK = 1 << 20


def digest_bytes(data: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return PREFIX + hashlib.sha256(data).hexdigest()


def canonical_json(value: object) -> bytes:
    """RFC 8785 bytes of a JSON value; raises IntegrityError on NaN, infinities and non-JSON types."""
    import rfc8785

    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # its JSON type is narrower than `object`
    except (rfc8785.CanonicalizationError, TypeError, ValueError, RecursionError) as error:
        raise VerificationError(
            Reason.MALFORMED, f"value cannot be written as canonical JSON: {error}"
        ) from error


def digest_json(value: object) -> str:
    """Digest of canonical JSON, so key order and white space do not matter."""
    return digest_bytes(canonical_json(value))


def digest_file(path: Path, *, on_bytes: Callable[[int], None] | None = None) -> str:
    """Digest of a file's bytes, read in 1 MiB chunks; raises OSError if it cannot be read."""
    hasher = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        buffer = memoryview(bytearray(_CHUNK))
        while count := stream.readinto(buffer):
            hasher.update(buffer[:count])
            if on_bytes is not None:
                on_bytes(count)
    return PREFIX + hasher.hexdigest()


def hex_of(digest: str) -> str:
    """The 64 hex characters of a digest; raises IntegrityError for anything that is not `sha256:<hex>`."""
    hexes = digest.removeprefix(PREFIX)
    if not digest.startswith(PREFIX) or len(hexes) != 64 or set(hexes) - set("0123456789abcdef"):
        raise VerificationError(
            Reason.MALFORMED, f"not a digest: got {digest!r}, expected sha256:<64 hex characters>"
        )
    return hexes


def walk_tree(root: Path) -> list[str]:
    """Sorted POSIX names of the regular files below `root`, strictly.

    Raises VerificationError for links, hard links, special files, `.git*` entries and names that are not
    unique NFC UTF-8: each of these lets stock verifiers accept something other than what was signed.
    """
    names: list[str] = []
    _walk(root, "", names)
    folded = {unicodedata.normalize("NFC", name).casefold() for name in names}
    if len(folded) != len(names):
        raise VerificationError(
            Reason.NAME_COLLISION, f"{root.name}: two file names differ only by case or Unicode form"
        )
    return sorted(names)


def _walk(directory: Path, prefix: str, names: list[str]) -> None:
    for entry in os.scandir(directory):
        name = prefix + entry.name
        if unicodedata.normalize("NFC", entry.name) != entry.name or not entry.name.isprintable():
            raise VerificationError(Reason.NAME_INVALID, f"{name!r}: file name is not printable NFC text")
        if entry.name.startswith(".git"):
            raise VerificationError(
                Reason.GIT_METADATA, f"{name}: git files do not belong into a model or release"
            )
        if entry.is_symlink():
            raise VerificationError(Reason.LINK, f"{name}: symbolic links are refused")
        if entry.is_dir():
            _walk(Path(entry.path), name + "/", names)
        elif not entry.is_file():
            raise VerificationError(Reason.SPECIAL_FILE, f"{name}: not a regular file")
        elif entry.stat(follow_symlinks=False).st_nlink != 1:
            raise VerificationError(Reason.HARD_LINK, f"{name}: hard links are refused")
        else:
            names.append(name)


def tree_manifest(root: Path) -> dict[str, str]:
    """`{posix name: digest}` of every file below `root`; raises IntegrityError as `walk_tree` does."""
    return {name: digest_file(root / name) for name in walk_tree(root)}


def digest_manifest(files: Mapping[str, str]) -> str:
    """Digest of a `{name: digest}` mapping: the identity of a tree whose files were hashed elsewhere."""
    return digest_json(dict(files))


def digest_tree(root: Path) -> str:
    """Digest of a directory: names and bytes of all files; modes and times do not count."""
    return digest_manifest(tree_manifest(root))


def digest_table(table: "pa.Table") -> str:
    """Digest of an Arrow table's content: sorted columns, type, lengths and cell bytes of every row.

    Independent of record batches, path, time, row-group size and string width. Null and empty differ.
    """
    import pyarrow as pa

    hasher = hashlib.sha256()
    hasher.update(f"rows={table.num_rows}\n".encode())
    for name in sorted(table.column_names):
        column = table.column(name)
        hasher.update(f"column={name!r} type={_plain_type(column.type)}\n".encode())
        _update(hasher, column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column)
    return PREFIX + hasher.hexdigest()


def _plain_type(kind: "pa.DataType") -> str:
    import pyarrow as pa

    if pa.types.is_large_string(kind) or pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    return str(kind)


def _update(hasher: Any, array: "pa.Array") -> None:
    for cell in _cells(array):
        if cell is None:
            hasher.update(b"\x00")
        else:
            hasher.update(b"\x01" + len(cell).to_bytes(8, "big"))
            hasher.update(cell)


def _cells(array: "pa.Array") -> Iterable[bytes | None]:
    for value in array.to_pylist():
        if value is None:
            yield None
        elif isinstance(value, bytes):
            yield value
        elif isinstance(value, str):
            yield value.encode()
        else:
            yield canonical_json(value)
