"""Adapters altered on purpose: untrained, ruined, or trained further on something else.

An adapter that goes on from a good one is the two side by side: LoRA products add up, so that the result is
again one plain adapter of the same base, as training would have left it.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.yard import Yard
from tasks.records import Row

if TYPE_CHECKING:
    from torch import Tensor

Weights = dict[str, "Tensor"]


def trained(yard: Yard, rows: Sequence[Row], *, augment: bool = True, **changes: object) -> Path:
    """A fresh adapter, trained as the project is configured but for `changes`; kept by what went in."""
    return yard.train(rows, changes, augment=augment)


def trained_on_top(yard: Yard, adapter: Path, rows: Sequence[Row], **changes: object) -> Path:
    """A good adapter trained further on these rows, without augmentation."""
    added = yard.train(rows, changes, augment=False, start=adapter)
    return yard.kept("stacked", [adapter, added], lambda target: _stack(adapter, added, target))


def altered(yard: Yard, adapter: Path, name: str, change: Callable[[Weights], Weights]) -> Path:
    """An adapter whose tensors went through `change`."""

    def write(target: Path) -> None:
        from safetensors.torch import load_file, save_file

        weights = change(load_file(adapter / "adapter_model.safetensors"))
        save_file(
            {key: value.contiguous() for key, value in weights.items()}, target / "adapter_model.safetensors"
        )
        (target / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())

    return yard.kept(name, [adapter], write)


def without_effect(weights: Weights) -> Weights:
    """The product of every pair is zero: the base answers."""
    return {key: value * 0 if ".lora_B." in key else value for key, value in weights.items()}


def coarse(weights: Weights) -> Weights:
    """Every tensor rounded to its sign times one step: what is left of weights at one bit."""
    return {key: value.sign() * value.abs().amax() for key, value in weights.items()}


def _stack(first: Path, second: Path, target: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    configs = [json.loads((each / "adapter_config.json").read_text("utf-8")) for each in (first, second)]
    parts = [load_file(each / "adapter_model.safetensors") for each in (first, second)]
    scales = [config["lora_alpha"] / config["r"] for config in configs]
    rank = sum(config["r"] for config in configs)
    stacked: Weights = {}
    for key in sorted(parts[0].keys() | parts[1].keys()):
        rows = [
            _or_zero(part, other, key, config["r"])
            for part, other, config in zip(parts, reversed(parts), configs, strict=True)
        ]
        down = ".lora_A." in key
        # The shared factor is that of the first; the second's own goes into its B.
        both = rows if down else [rows[0], rows[1] * (scales[1] / scales[0])]
        stacked[key] = torch.cat([each.float() for each in both], dim=0 if down else 1).contiguous()
    save_file(stacked, target / "adapter_model.safetensors")
    config = {**configs[0], "r": rank, "lora_alpha": scales[0] * rank}
    config["lora_alpha"] = (
        int(config["lora_alpha"]) if float(config["lora_alpha"]).is_integer() else config["lora_alpha"]
    )
    config["target_modules"] = sorted({*configs[0]["target_modules"], *configs[1]["target_modules"]})
    for name in ("layers_to_transform", "layers_pattern"):
        config[name] = None
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def _or_zero(part: Weights, other: Weights, key: str, rank: int) -> "Tensor":
    import torch

    if key in part:
        return part[key]
    shape = other[key].shape
    return torch.zeros((rank, shape[1]) if ".lora_A." in key else (shape[0], rank), dtype=other[key].dtype)
