"""Which files a model directory may hold: an allow-list by name, checked against what the bytes are.

check_names("adapter", ["adapter_config.json", "adapter_model.safetensors"])
check_content("adapter/adapter_config.json", path)

Weights are safetensors; anything that can carry code (pickle, Python, `auto_map`, reaching templates) is
refused by content, not only by its suffix.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from infra.refusal import Reason, VerificationError
from infra.signing.documents import parse_object

_ALLOWED = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9._-]*/)?"
    r"(?:[A-Za-z0-9][A-Za-z0-9._-]*\.(?:safetensors|json|jinja|txt|md)|tokenizer\.model|LICENSE|NOTICE)"
)
_NEEDED = {"adapter": "adapter_config.json", "base": "config.json"}
_MOST_JSON_BYTES = 64 << 20
_MOST_HEADER_BYTES = 100 << 20
# Zip (torch.save), pickle protocols 2 to 5, gzip, ELF, HDF5, script: none of them is text or safetensors.
_MAGIC = {
    b"PK\x03\x04": "a zip archive",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x1f\x8b": "gzip",
    b"\x7fELF": "a program",
    b"\x89HDF": "HDF5",
    b"#!": "a script",
}
_REMOTE_CODE_KEYS = frozenset({"auto_map", "custom_pipelines", "trust_remote_code"})


def check_names(kind: str, names: Iterable[str]) -> None:
    """Raises VerificationError naming the first file that a `kind` ("base" or "adapter") must not hold."""
    present = sorted(names)
    for name in present:
        if not _ALLOWED.fullmatch(name):
            raise VerificationError(
                Reason.TYPE_REFUSED,
                f"{kind}/{name}: this type of file is not allowed in a model",
                hint="allowed: safetensors, json, jinja, txt, md, tokenizer.model, LICENSE, NOTICE",
            )
    if _NEEDED[kind] not in present:
        raise VerificationError(Reason.FILE_MISSING, f"{kind}/{_NEEDED[kind]}: missing")
    if not any(name.endswith(".safetensors") for name in present):
        raise VerificationError(Reason.MODEL_EMPTY, f"{kind}: missing: no safetensors weights")


def check_content(name: str, path: Path) -> None:
    """Raises VerificationError when the bytes are not what the name says, or could run code."""
    with path.open("rb") as stream:
        head = stream.read(8)
        if name.endswith(".safetensors"):
            _check_safetensors(name, head, stream.read, path.stat().st_size)
            return
        for magic, what in _MAGIC.items():
            if head.startswith(magic):
                raise VerificationError(Reason.CONTENT_REFUSED, f"{name}: is {what}, which is refused")
        if name.endswith((".json", ".jinja", ".txt", ".md")):
            _check_text(name, head + stream.read(_MOST_JSON_BYTES))


def _check_safetensors(name: str, head: bytes, read: Any, size: int) -> None:
    """The layout of https://github.com/huggingface/safetensors#format: header length, header, tensors."""
    length = int.from_bytes(head, "little")
    if len(head) < 8 or not 2 <= length <= min(size - 8, _MOST_HEADER_BYTES):
        raise VerificationError(Reason.CONTENT_REFUSED, f"{name}: not a safetensors file")
    header = parse_object(read(length), f"{name} (header)", most_bytes=_MOST_HEADER_BYTES)
    spans = []
    for key, tensor in header.items():
        if key == "__metadata__":
            continue
        try:
            start, end = tensor["data_offsets"]
        except (TypeError, KeyError, ValueError) as error:
            raise VerificationError(Reason.CONTENT_REFUSED, f"{name}: malformed tensor {key!r}") from error
        if type(start) is not int or type(end) is not int:
            raise VerificationError(Reason.CONTENT_REFUSED, f"{name}: malformed tensor {key!r}")
        spans.append((start, end))
    position = 0
    for start, end in sorted(spans):
        if start != position or end < start:
            raise VerificationError(Reason.CONTENT_REFUSED, f"{name}: tensors overlap or leave a gap")
        position = end
    if position != size - 8 - length or not spans:
        raise VerificationError(
            Reason.CONTENT_REFUSED, f"{name}: bytes that belong to no tensor, or no tensor at all"
        )


def _check_text(name: str, data: bytes) -> None:
    if name.endswith(".json"):
        _check_json(name, parse_object(data, name, most_bytes=_MOST_JSON_BYTES))
        return
    if len(data) > _MOST_JSON_BYTES:
        raise VerificationError(Reason.TOO_LARGE, f"{name}: more than {_MOST_JSON_BYTES} bytes of text")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerificationError(Reason.CONTENT_REFUSED, f"{name}: is not UTF-8 text") from error
    if name.endswith(".jinja"):
        _check_template(name, text)


def _check_json(name: str, document: dict[str, Any]) -> None:
    # An explicit stack: the nesting comes from outside. Vocabularies hold only numbers, so it stays cheap.
    stack: list[Any] = [document]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            for key in _REMOTE_CODE_KEYS & value.keys():
                # Not numbers: a vocabulary may well have a word of that name.
                if value[key] is True or (value[key] and isinstance(value[key], str | list | dict)):
                    raise VerificationError(
                        Reason.CONTENT_REFUSED, f"{name}: {key!r} would load code from the model directory"
                    )
            if isinstance(template := value.get("chat_template"), str):
                _check_template(name, template)
            stack.extend(each for each in value.values() if isinstance(each, dict | list))
        elif isinstance(value, list):
            stack.extend(each for each in value if isinstance(each, dict | list))


def _check_template(name: str, text: str) -> None:
    if "__" in text:
        raise VerificationError(
            Reason.CONTENT_REFUSED, f"{name}: chat template reaches for Python internals ('__')"
        )
