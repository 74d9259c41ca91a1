"""What safetensors headers say about a model, read without torch.

count_parameters(Path("model"))      # 134515008
"""

import json
import math
from pathlib import Path
from typing import Any

from infra.errors import DataError

_HEADER_LIMIT = 100_000_000  # bytes; the limit of the format itself


def count_parameters(directory: Path) -> int:
    """Numbers in all tensors of the *.safetensors files; raises DataError when there are none."""
    files = sorted(directory.rglob("*.safetensors"))
    if not files:
        raise DataError(
            f"{directory.name}: no *.safetensors file", hint="other weight formats can run code: convert them"
        )
    total = sum(_elements(file) for file in files)
    if total < 1:
        raise DataError(f"{directory.name}: its safetensors files hold no tensor")
    return total


def _elements(file: Path) -> int:
    return sum(
        math.prod(_shape(file, name, entry))
        for name, entry in _header(file).items()
        if name != "__metadata__"
    )


def _shape(file: Path, name: str, entry: Any) -> list[int]:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise DataError(f"{file.name}: tensor {name!r} has no valid shape")
    return shape


def _header(file: Path) -> dict[str, Any]:
    """The JSON header: 8 bytes of little-endian length, then the JSON (safetensors format)."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        raw = stream.read(min(length, _HEADER_LIMIT))
    if not 2 <= length <= _HEADER_LIMIT or len(raw) != length:
        raise DataError(f"{file.name}: not a safetensors file: header of {length} bytes")
    try:
        header = json.loads(raw)
    except ValueError as error:
        raise DataError(f"{file.name}: not a safetensors file: {error}") from error
    if not isinstance(header, dict):
        raise DataError(f"{file.name}: not a safetensors file: its header is no object")
    return header
