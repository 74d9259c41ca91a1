"""Model directories: what is safe passes, everything else is refused by name of the file."""

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest

from infra.errors import DataError
from infra.models.safety import check_model_files


def safetensors(header: dict[str, Any] | None = None, data: bytes = b"\x00" * 8) -> bytes:
    if header is None:
        header = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


ENTRY = b'"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}'
DOUBLE = struct.pack("<Q", 2 * len(ENTRY) + 3) + b"{" + ENTRY + b"," + ENTRY + b"}" + b"\x00" * 8


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The smallest directory that passes."""
    root = tmp_path / "model"
    root.mkdir()
    (root / "model.safetensors").write_bytes(safetensors())
    (root / "config.json").write_text('{"model_type": "llama"}')
    (root / "tokenizer.json").write_text('{"model": {"vocab": {"auto_map": 1, "__class__": 2}}}')
    (root / "merges.txt").write_text("a b\n")
    (root / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    return root


def refused(model: Path, name: str) -> None:
    with pytest.raises(DataError, match=name.replace(".", r"\.")) as caught:
        check_model_files(model)
    assert caught.value.hint


def test_safe_directory_passes(model: Path) -> None:
    check_model_files(model)


def test_refuses_an_absent_directory(tmp_path: Path) -> None:
    refused(tmp_path / "absent", "absent")


def test_refuses_a_directory_without_weights(model: Path) -> None:
    (model / "model.safetensors").unlink()
    refused(model, "no safetensors weights")


@pytest.mark.parametrize("only", [True, False])
@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "w.pt", "w.pth", "w.pkl", "w.pickle", "w.ckpt", "w.joblib", "w.npy", "w.h5"]
)
def test_refuses_pickles(model: Path, name: str, only: bool) -> None:
    (model / name).write_bytes(pickle.dumps({"w": 1}))
    if only:
        (model / "model.safetensors").unlink()
    refused(model, name)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("name", ["vocab.txt", "notes.json", "model-2.safetensors"])
def test_refuses_renamed_pickles(model: Path, name: str, protocol: int) -> None:
    (model / name).write_bytes(pickle.dumps({"w": list(range(1000))}, protocol))
    refused(model, name)


@pytest.mark.parametrize("start", [b"\x80\x04.", b"PK\x03\x04", b"\x1f\x8b\x08", b"\x7fELF"])
def test_refuses_what_is_no_sentencepiece_model(model: Path, start: bytes) -> None:
    (model / "tokenizer.model").write_bytes(start + bytes(20))
    refused(model, "tokenizer.model")


def test_refuses_a_renamed_archive(model: Path) -> None:
    (model / "weights.txt").write_bytes(b"PK\x03\x04")
    refused(model, "weights.txt")


@pytest.mark.parametrize(
    "name", ["modeling_x.py", "run.sh", "x.so", "README.md", "x.gguf", "LICENSE", ".hidden"]
)
def test_refuses_everything_not_allowed(model: Path, name: str) -> None:
    (model / name).write_text("x")
    refused(model, name)


def test_refuses_code_in_a_sub_directory(model: Path) -> None:
    (model / "deep").mkdir()
    (model / "deep" / "code.py").write_text("x")
    refused(model, "deep/code.py")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "adapter_config.json"])
@pytest.mark.parametrize("content", [{"auto_map": {}}, {"a": [{"b": {"auto_map": {"AutoModel": "x--y.Z"}}}]}])
def test_refuses_auto_map(model: Path, name: str, content: dict[str, Any]) -> None:
    (model / name).write_text(json.dumps(content))
    refused(model, name)


@pytest.mark.parametrize("content", ["{", "", "[" * 100_000])
def test_refuses_what_is_no_json(model: Path, content: str) -> None:
    (model / "config.json").write_text(content)
    refused(model, "config.json")


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ messages|attr('x') }}",
        r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_refuses_templates_that_reach_out(model: Path, template: str) -> None:
    (model / "chat_template.jinja").write_text(template)
    refused(model, "chat_template.jinja")
    (model / "chat_template.jinja").unlink()
    (model / "tokenizer_config.json").write_text(json.dumps({"chat_template": template}))
    refused(model, "tokenizer_config.json")


def test_refuses_templates_hidden_in_a_list(model: Path) -> None:
    content = {"chat_template": [{"name": "default", "template": "{{ messages.__class__ }}"}]}
    (model / "tokenizer_config.json").write_text(json.dumps(content))
    refused(model, "tokenizer_config.json")


def test_refuses_links_that_leave_the_directory(model: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    (model / "extra.json").symlink_to(outside)
    refused(model, "extra.json")


def test_refuses_a_link_to_a_directory_outside(model: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (model / "sub").symlink_to(tmp_path / "other")
    refused(model, "sub")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x08",
        struct.pack("<Q", 1 << 40),
        safetensors()[:-1],
        safetensors() + b"x",
        safetensors({}),
        safetensors({"w": {"dtype": "F32", "shape": [2]}}),
        safetensors({"w": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}),
        safetensors({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}),
        safetensors({"w": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}),
        safetensors({"w": {"dtype": "X99", "shape": [2], "data_offsets": [0, 8]}}),
        DOUBLE,
        safetensors({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]}}),
        safetensors(
            {
                "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
            }
        ),
        struct.pack("<Q", 4) + b"nope",
        struct.pack("<Q", 2) + b"[]",
    ],
)
def test_refuses_broken_safetensors(model: Path, content: bytes) -> None:
    (model / "model.safetensors").write_bytes(content)
    refused(model, "model.safetensors")
