"""Refuses model files that could run code or hide content, before anything is loaded from them.

check_model_files(Path("base"))      # DataError that names the first unsafe file
"""

import json
import re
import struct
from pathlib import Path
from typing import Any

from infra.errors import DataError

_ALLOWED = (".safetensors", ".json", ".txt", ".jinja", ".model")
_PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".h5", ".msgpack")
_MOST_HEADER = 100_000_000  # bytes; the limit of the safetensors format itself
_MOST_JSON = 64 << 20
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
        return  # a sentencepiece protocol buffer: parsed, never run
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
    if data[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK"):
        raise DataError(f"{name}: holds a pickle or archive under another name", _HINT)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: is not UTF-8 text", _HINT) from error


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
            header = json.loads(stream.read(length))
            ends = [
                (int(entry["data_offsets"][0]), int(entry["data_offsets"][1]))
                for key, entry in header.items()
                if key != "__metadata__"
            ]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise DataError(f"{name}: malformed safetensors header", _HINT) from error
    position = 0
    for begin, end in sorted(ends):
        if begin != position or end < begin:
            raise DataError(f"{name}: tensors overlap or leave gaps at byte {begin}", _HINT)
        position = end
    if not ends or 8 + length + position != size:
        raise DataError(f"{name}: {size} bytes, its header accounts for {8 + length + position}", _HINT)
