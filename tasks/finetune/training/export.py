"""Writes a trained adapter as a directory that `peft.PeftModel.from_pretrained` loads.

Nothing in it tells where or when it was made, so that equal adapters have equal digests.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra import atomic
from infra.digest import digest_tree
from tasks.finetune.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor


def export_adapter(
    tensors: "Mapping[str, Tensor]", first_trained: int, settings: TrainingSettings, target: Path
) -> str:
    """Replaces `target` by the adapter (peft's tensor names); returns the digest of its tree."""
    from safetensors.torch import save

    config = adapter_config(sorted(tensors), first_trained, settings)
    ready = {name: tensors[name].detach().float().contiguous().clone() for name in sorted(tensors)}
    if target.exists():
        shutil.rmtree(target)
    with atomic.staged_directory(target) as staging:
        (staging / "adapter_model.safetensors").write_bytes(save(ready, {"format": "pt"}))
        (staging / "adapter_config.json").write_text(
            json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8"
        )
    return digest_tree(target)


def adapter_config(names: list[str], first_trained: int, settings: TrainingSettings) -> dict[str, Any]:
    """peft's LoraConfig as JSON; the base is named by the release, not by a path."""
    layers = sorted({int(name.partition(".layers.")[2].split(".")[0]) for name in names})
    return {
        "base_model_name_or_path": None,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "layers_pattern": "layers" if first_trained else None,
        "layers_to_transform": layers if first_trained else None,
        "lora_alpha": settings.lora_alpha,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": settings.lora_r,
        "target_modules": sorted(settings.target_modules),
        "task_type": "CAUSAL_LM",
    }
