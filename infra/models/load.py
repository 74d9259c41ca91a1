"""Loads a local model directory, alone or with an adapter merged in: never code, never the network.

    loaded = load_tuned(base_directory, adapter_directory)

The same loader serves validation and the model server, so what is measured is what is served.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.errors import DataError
from infra.models.safety import check_model_files

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, in evaluation mode, with its tokenizer and what it was made of."""

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    base_path: Path
    adapter_path: Path | None = None


def load_base(path: Path, dtype: str = "bfloat16") -> LoadedModel:
    """Loads a checked local model directory. Raises DataError when its files are unsafe or unreadable."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # a quarter of a second needs no bar, least of all in a log
    path = Path(path)
    check_model_files(path)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(path), **options)
        model = AutoModelForCausalLM.from_pretrained(
            str(path),
            dtype=getattr(torch, dtype),
            use_safetensors=True,
            attn_implementation="eager",
            **options,
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"cannot load the model in {path.name}: {error}", "check the base directory"
        ) from error
    model.eval()
    model.requires_grad_(False)
    return LoadedModel(model, tokenizer, path)


def load_tuned(base_path: Path, adapter_path: Path, dtype: str = "bfloat16") -> LoadedModel:
    """Loads base + LoRA adapter as one plain model: merged in fp32, then cast to `dtype`.

    Raises DataError when either directory is unsafe or the adapter does not fit the base.
    """
    adapter_path = Path(adapter_path)
    check_model_files(adapter_path)
    loaded = load_base(base_path, dtype)
    merge_adapter(loaded, adapter_path)
    return LoadedModel(loaded.model, loaded.tokenizer, loaded.base_path, adapter_path)


def merge_adapter(loaded: LoadedModel, adapter_path: Path) -> None:
    """Adds a LoRA adapter to a base's weights in place. Raises DataError when it does not fit."""
    import torch
    from safetensors.torch import load_file

    config = json.loads((adapter_path / "adapter_config.json").read_text("utf-8"))
    scale = _scale(config)
    weights = load_file(adapter_path / "adapter_model.safetensors")
    for name in _adapted_modules(weights):
        parameter = _weight(loaded.model, name)
        low, high = (weights[f"base_model.model.{name}.lora_{side}.weight"].float() for side in "AB")
        if parameter.shape != (high.shape[0], low.shape[1]):
            raise DataError(f"adapter does not fit the base at {name}", "use the base that it was trained on")
        with torch.no_grad():
            parameter.copy_(torch.addmm(parameter.float(), high, low, alpha=scale))


def _scale(config: dict[str, Any]) -> float:
    refused = [
        key for key in ("use_rslora", "use_dora", "fan_in_fan_out", "modules_to_save") if config.get(key)
    ]
    refused += [key for key in ("rank_pattern", "alpha_pattern") if config.get(key)]
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or refused:
        raise DataError(
            f"adapter is not plain LoRA (peft_type={config.get('peft_type')}, {', '.join(refused)})",
            "train with this project, or merge the adapter into a base directory",
        )
    return float(config["lora_alpha"]) / float(config["r"])


def _adapted_modules(weights: dict[str, Any]) -> list[str]:
    names = {key.rsplit(".lora_", 1)[0].removeprefix("base_model.model.") for key in weights}
    expected = {f"base_model.model.{name}.lora_{side}.weight" for name in names for side in "AB"}
    if expected != set(weights):
        odd = sorted(expected ^ set(weights))[0]
        raise DataError(f"adapter holds an incomplete or unknown tensor: {odd}", "train the adapter again")
    return sorted(names)


def _weight(model: "PreTrainedModel", name: str) -> Any:
    try:
        return model.get_submodule(name).get_parameter("weight")
    except AttributeError as error:
        raise DataError(f"adapter names a module that the base lacks: {name}", "use its own base") from error
