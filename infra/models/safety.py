"""Refuses model files that could run code or hide content, before anything is loaded from them.

check_model_files(Path("adapter"))   # DataError that names the first unsafe file
check_base_files(Path("base"))       # and nothing that leads loading to other files
"""

import json
import math
import re
import struct
from pathlib import Path
from typing import Any

from infra.errors import DataError

_ALLOWED = (".safetensors", ".json", ".txt", ".jinja", ".model")
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".h5", ".msgpack")
_MOST_HEADER = 100_000_000  # bytes; the limit of the safetensors format itself
_MOST_JSON = 64 << 20
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "F4": 4,
    "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip
# Protocols 2 to 5 of pickle, zip (also what torch.save writes), gzip, 7z, HDF5, ELF.
_BINARY = (
    b"\x80\x02",
    b"\x80\x03",
    b"\x80\x04",
    b"\x80\x05",
    b"PK",
    b"\x1f\x8b",
    b"7z",
    b"\x89HDF",
    b"\x7fELF",
)
_HINT = "use a model saved as safetensors, without code of its own"
# Attributes that lead out of a template's sandbox; a chat template has no use for them.
# The escapes are how a template spells an underscore so that a reader does not see it.
_DUNDER = re.compile(r"__\w+__|\battr\s*\(|\\x5f|\\u005f|\\137", re.IGNORECASE)


def check_model_files(path: Path) -> None:
    """Raises DataError for anything but safetensors weights, configuration and tokenizer files.

    By name and by content: pickles (also renamed), Python files, `auto_map`, broken or trailing bytes in
    safetensors, links that leave the directory, chat templates with double-underscore attributes.
    """
    path = Path(path)
    if not path.is_dir():
        raise DataError(f"{path}: no such model directory", "check the path of the base model")
    files = sorted(file for file in path.rglob("*") if not file.is_dir() or file.is_symlink())
    if not any(file.name.endswith(".safetensors") for file in files):
        unsafe = next((file.name for file in files if file.suffix in _PICKLES), "")
        found = f"; {unsafe} is a pickle" if unsafe else ""
        raise DataError(f"{path.name}: no safetensors weights{found}", _HINT)
    for file in files:
        _check(file, path)


def check_base_files(path: Path) -> None:
    """`check_model_files`, and the directory is a whole model by itself; raises DataError.

    An `adapter_config.json` makes transformers load the model that it names instead, from anywhere; an
    index may name weights outside of the directory.
    """
    path = Path(path)
    check_model_files(path)
    for file in sorted(path.rglob("*.json")):
        name = file.relative_to(path).as_posix()
        if file.name == "adapter_config.json":
            raise DataError(f"{name}: names another model to load", "merge the adapter into its base first")
        if file.name.endswith(".index.json"):
            _check_index(file, path, name)


def _check_index(file: Path, root: Path, name: str) -> None:
    content = json.loads(file.read_text("utf-8"))
    shards = content.get("weight_map") if isinstance(content, dict) else None
    present = {entry.name for entry in root.iterdir()}
    if not isinstance(shards, dict) or not shards:
        raise DataError(f"{name}: has no weight_map", _HINT)
    for shard in shards.values():
        if not isinstance(shard, str) or shard not in present or not shard.endswith(".safetensors"):
            raise DataError(f"{name}: names weights that are no safetensors file here: {shard!r}", _HINT)


def _check(file: Path, root: Path) -> None:
    name = file.relative_to(root).as_posix()
    _check_link(file, root, name)
    if file.suffix not in _ALLOWED:
        kind = "holds pickled objects, which run code" if file.suffix in _PICKLES else "is not allowed"
        raise DataError(f"{name}: a {file.suffix or 'file without suffix'} file {kind}", _HINT)
    if file.suffix == ".safetensors":
        _check_safetensors(file, name)
        return
    if file.suffix == ".model":
        with file.open("rb") as stream:  # a sentencepiece protocol buffer: parsed, never run
            _refuse_binary(stream.read(8), name)
        return
    text = _text(file, name)
    if file.suffix == ".json":
        _check_json(text, name)
    elif file.suffix == ".jinja":
        _check_template(text, name)


def _check_link(file: Path, root: Path, name: str) -> None:
    # Sealed memory is exposed as links to this process's own descriptors: nobody else can change those.
    if not file.is_symlink() or _is_sealed(file):
        return
    if not file.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{name}: a link that leaves the model directory", "copy the file instead")


def _is_sealed(file: Path) -> bool:
    target = file.readlink().as_posix()
    return re.fullmatch(r"/proc/(self|\d+)/fd/\d+", target) is not None


def _text(file: Path, name: str) -> str:
    if file.stat().st_size > _MOST_JSON:
        raise DataError(f"{name}: {file.stat().st_size} bytes, expected at most {_MOST_JSON}", _HINT)
    data = file.read_bytes()
    _refuse_binary(data[:8], name)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: is not UTF-8 text", _HINT) from error


def _refuse_binary(start: bytes, name: str) -> None:
    if start.startswith(_BINARY):
        raise DataError(f"{name}: holds a pickle or archive under another name", _HINT)


def _check_json(text: str, name: str) -> None:
    try:
        content = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{name}: is not JSON: {error}", _HINT) from error
    # The vocabulary is data, not settings: a word in it may be called anything.
    if name.rsplit("/", 1)[-1] not in ("tokenizer.json", "vocab.json"):
        _check_settings(content, name)


def _check_settings(content: Any, name: str) -> None:
    if isinstance(content, dict):
        if "auto_map" in content or "custom_pipelines" in content:
            raise DataError(f"{name}: auto_map names code to run", _HINT)
        for template in _strings(content.get("chat_template")):
            _check_template(template, f"{name}: chat_template")
        for value in content.values():
            _check_settings(value, name)
    elif isinstance(content, list):
        for value in content:
            _check_settings(value, name)


def _strings(value: Any) -> list[str]:
    """All text in a JSON value: older tokenizers hold several templates, as a list of named ones."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [text for item in value for text in _strings(item)] if isinstance(value, list) else []


def _check_template(text: str, name: str) -> None:
    if found := _DUNDER.search(text):
        raise DataError(f"{name}: template uses {found.group()!r}, which leads out of its sandbox", _HINT)


def _check_safetensors(file: Path, name: str) -> None:
    """Header and length, by the format's description (huggingface/safetensors, README, "Format")."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MOST_HEADER + 1
        if length > min(_MOST_HEADER, size - 8):
            raise DataError(f"{name}: no safetensors header", _HINT)
        try:
            header = json.loads(stream.read(length), object_pairs_hook=_without_doubles)
            tensors = [entry for key, entry in header.items() if key != "__metadata__"]
            ends = [_span(entry) for entry in tensors]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise DataError(f"{name}: malformed safetensors header", _HINT) from error
    position = 0
    for begin, end in sorted(ends):
        if begin != position or end < begin:
            raise DataError(f"{name}: tensors overlap or leave gaps at byte {begin}", _HINT)
        position = end
    if not ends or 8 + length + position != size:
        raise DataError(f"{name}: {size} bytes, its header accounts for {8 + length + position}", _HINT)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two they take: what is checked must be what is loaded.
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def _span(entry: Any) -> tuple[int, int]:
    """First and last byte of a tensor; raises ValueError, KeyError or TypeError unless its shape fits."""
    begin, end = map(int, entry["data_offsets"])
    if any(type(size) is not int or size < 0 for size in entry["shape"]):
        raise ValueError("a size is no count")
    if math.prod(entry["shape"]) * _BITS[entry["dtype"]] != 8 * (end - begin):
        raise ValueError("shape and bytes differ")
    return begin, end
