"""A tree in a bucket: the list of its files, an object whose own SHA-256 is the tree's digest.

data = dump_tree({"a": "sha256:…"})
files = load_tree(data, "tree sha256:…")
"""

import json
import unicodedata
from collections.abc import Mapping

from infra.digest import canonical_json, hex_of
from infra.errors import IntegrityError


def dump_tree(files: Mapping[str, str]) -> bytes:
    """The bytes that `digest_manifest` takes the digest of."""
    return canonical_json(dict(files))


def load_tree(data: bytes, what: str) -> dict[str, str]:
    """`{posix name: digest}`; raises IntegrityError for a name that could leave the tree, or is not safe."""
    try:
        files = json.loads(data)
    except ValueError as error:
        raise IntegrityError(f"{what}: not a list of files: {error}") from None
    if not isinstance(files, dict) or not all(isinstance(digest, str) for digest in files.values()):
        raise IntegrityError(f"{what}: not a list of files with their digests")
    for name, digest in files.items():
        if any(not _is_safe(part) for part in name.split("/")):
            raise IntegrityError(f"{what}: {name!r} is not the name of a file in it")
        hex_of(digest)
    return files


def _is_safe(part: str) -> bool:
    """Whether this is one part of a name that `walk_tree` accepts."""
    plain = unicodedata.normalize("NFC", part) == part and part.isprintable()
    return plain and part not in ("", ".", "..") and not part.startswith(".git") and "\\" not in part
