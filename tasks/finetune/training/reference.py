"""The general engine: the unmodified transformers model with peft's LoRA, whole rows, nothing shared.

What the flat engine is measured against, and what trains every architecture that the flat one does not.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infra.errors import TrainingError
from tasks.finetune.training.adapter import tensor_name
from tasks.finetune.training.engine import first_trained
from tasks.finetune.training.rows import EncodedRow, EncodedRows
from tasks.finetune.training.settings import TrainingSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

IGNORED = -100


class ReferenceEngine:
    """See `Engine`. Puts peft's modules into the model, which stays callable as it was."""

    name = "reference"

    def __init__(self, model: "PreTrainedModel", rows: EncodedRows, settings: TrainingSettings) -> None:
        from peft import LoraConfig, inject_adapter_in_model

        self.rows = rows
        self.first = first_trained(int(model.config.num_hidden_layers), settings)
        layers = list(range(self.first, int(model.config.num_hidden_layers)))
        config = LoraConfig(
            r=settings.lora_r,
            lora_alpha=settings.lora_alpha,
            target_modules=list(settings.target_modules),
            layers_to_transform=layers,
            lora_dropout=0.0,
        )
        try:
            self.model: Any = inject_adapter_in_model(config, model)
        except ValueError as error:
            raise TrainingError(
                f"base of type '{model.config.model_type}' has no training path: {error}",
                "choose a base whose layers name their linear modules as Llama does",
            ) from error
        self.model.eval()
        self.parameters = _lora_parameters(self.model)
        size, dtype = sum(parameter.numel() for parameter in self.parameters.values()), model.dtype
        self.master = torch.zeros(size)
        self.work = torch.zeros(size, dtype=dtype)
        self.grad = torch.zeros(size, dtype=dtype)
        self._lay_out(torch.Generator().manual_seed(settings.seed))
        self.publish()

    def start_epoch(self, number: int) -> None:
        """Nothing is kept between steps."""

    def loss(self, indices: Sequence[int]) -> Tensor:
        self.grad.zero_()
        ids, mask, labels = _left_padded(self.rows.prefix, [self.rows.rows[index] for index in indices])
        longest = max(len(self.rows.rows[index].targets) for index in indices)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)
        logits = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            use_cache=False,
            logits_to_keep=longest,
        ).logits[:, -longest:]
        return functional.cross_entropy(
            logits.flatten(0, 1).float(), labels[:, -longest:].flatten(), ignore_index=IGNORED
        )

    def publish(self) -> None:
        self.work.copy_(self.master)

    def masters(self) -> dict[str, Tensor]:
        return self._by_name(self.master)

    def gradients(self) -> dict[str, Tensor]:
        return self._by_name(self.grad)

    def _by_name(self, flat: Tensor) -> dict[str, Tensor]:
        split = zip(self.parameters.items(), self._views(flat), strict=True)
        return {name: view.view_as(parameter) for (name, parameter), view in split}

    def _views(self, flat: Tensor) -> tuple[Tensor, ...]:
        return torch.split(flat, [parameter.numel() for parameter in self.parameters.values()])

    def _lay_out(self, generator: torch.Generator) -> None:
        """Makes peft's parameters views of the flat vectors, and draws every A as the flat engine does."""
        views = zip(*(self._views(flat) for flat in (self.master, self.work, self.grad)), strict=True)
        for (name, parameter), (master, work, grad) in zip(self.parameters.items(), views, strict=True):
            if ".lora_A." in name:
                nn.init.kaiming_uniform_(master.view_as(parameter), a=math.sqrt(5), generator=generator)
            parameter.data = work.view_as(parameter)
            parameter.grad = grad.view_as(parameter)
            parameter.requires_grad_(True)


def _lora_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """peft's parameters under the names that they have in an adapter file, in the model's order."""
    found = {}
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(False)
        module, lora, rest = name.partition(".lora_")
        if lora:
            found[tensor_name(module, rest[0])] = parameter
    return found


def _left_padded(prefix: Sequence[int], rows: Sequence[EncodedRow]) -> tuple[Tensor, Tensor, Tensor]:
    """Ids, mask and labels [rows, width]: padded on the left, so all answers end at the last position."""
    width = len(prefix) + max(len(row.inputs) for row in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, IGNORED)
    for at, row in enumerate(rows):
        tokens = [*prefix, *row.inputs]
        ids[at, -len(tokens) :] = torch.tensor(tokens)
        mask[at, -len(tokens) :] = 1
        labels[at, -len(row.targets) :] = torch.tensor(row.targets)
    return ids, mask, labels
