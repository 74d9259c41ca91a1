"""The fast engine: fused matrices, hand-written backward passes, shared prefix, lower layers run once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from tasks.finetune.training.adapter import AdaptedLinear, LoraAdapter
from tasks.finetune.training.decoder import Decoder
from tasks.finetune.training.engine import first_trained
from tasks.finetune.training.rows import EncodedRows
from tasks.finetune.training.settings import TrainingSettings
from tasks.finetune.training.states import FrozenStates

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class FlatEngine:
    """See `Engine`. Takes the model over: its weights are views of the trained ones."""

    name = "flat"

    def __init__(self, model: "PreTrainedModel", rows: EncodedRows, settings: TrainingSettings) -> None:
        self.rows = rows
        self.decoder = Decoder(model, AdaptedLinear)
        self.depth = len(self.decoder.layers)
        self.first = first_trained(self.depth, settings)
        trained = [linear for layer in self.decoder.layers[self.first :] for linear in layer.linears()]
        self.adapter = LoraAdapter(
            [linear for linear in trained if isinstance(linear, AdaptedLinear)],
            frozenset(settings.target_modules),
            settings.lora_r,
            settings.lora_alpha,
            settings.seed,
        )
        self.master, self.grad = self.adapter.master, self.adapter.grad
        self.states = FrozenStates(self.decoder, rows, self.first)

    def start_epoch(self, number: int) -> None:
        self.states.start_epoch(number)

    def loss(self, indices: Sequence[int]) -> Tensor:
        states, shape = self.states.batch(indices)
        wanted: list[int] = []
        targets: list[int] = []
        for at, index in enumerate(indices):
            row = self.rows.rows[index]
            end = shape.prefix + at * shape.width + len(row.inputs)
            wanted += range(end - len(row.targets), end)
            targets += row.targets
        final = self.decoder.run(states, shape, self.first, self.depth, torch.tensor(wanted))
        return functional.cross_entropy(self.decoder.logits(final).float(), torch.tensor(targets))

    def publish(self) -> None:
        self.adapter.publish()

    def masters(self) -> dict[str, Tensor]:
        return self.adapter.by_name(lambda part: (part.low_master, part.high_master))

    def gradients(self) -> dict[str, Tensor]:
        return self.adapter.by_name(lambda part: (part.low_grad, part.high_grad))
