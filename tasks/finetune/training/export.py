"""Writes a trained adapter as a directory that `peft.PeftModel.from_pretrained` loads.

Nothing in it tells where or when it was made, so that equal adapters have equal digests.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from infra import atomic
from infra.digest import digest_tree
from tasks.finetune.training.adapter import LoraAdapter
from tasks.finetune.training.settings import TrainingSettings


def export_adapter(adapter: LoraAdapter, first_trained: int, settings: TrainingSettings, target: Path) -> str:
    """Replaces `target` by the adapter; returns the digest of its tree."""
    from safetensors.torch import save

    config = adapter_config(adapter, first_trained, settings)
    if target.exists():
        shutil.rmtree(target)
    with atomic.staged_directory(target) as staging:
        (staging / "adapter_model.safetensors").write_bytes(save(adapter.tensors(), {"format": "pt"}))
        (staging / "adapter_config.json").write_text(
            json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8"
        )
    return digest_tree(target)


def adapter_config(adapter: LoraAdapter, first_trained: int, settings: TrainingSettings) -> dict[str, Any]:
    """peft's LoraConfig as JSON; the base is named by the release, not by a path."""
    layers = sorted({int(part.name.split(".")[2]) for part in adapter.parts()})
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
