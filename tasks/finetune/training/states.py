"""Hidden states at the input of the first trained layer, computed once because nothing below changes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn.utils.rnn import pad_sequence

from tasks.finetune.training.decoder import Decoder, Shape
from tasks.finetune.training.rows import EncodedRows

if TYPE_CHECKING:
    from torch import Tensor

# Above this the states are computed again for every batch instead of being kept.
KEEP_BYTES = 2 << 30
# Rows per pass while the states are being computed.
CHUNK = 64


class FrozenStates:
    """What the untrained lower layers make of each row, by row index."""

    def __init__(
        self, decoder: Decoder, rows: EncodedRows, first_trained: int, keep_bytes: int = KEEP_BYTES
    ) -> None:
        self.decoder, self.first = decoder, first_trained
        self.prefix = torch.tensor(rows.prefix, dtype=torch.long)
        self.inputs = [torch.tensor(row.inputs, dtype=torch.long) for row in rows.rows]
        self.kept: list[Tensor] = []
        self.kept_prefix: Tensor | None = None
        width = decoder.embedding.weight.shape[1] * decoder.embedding.weight.element_size()
        if first_trained and sum(rows.lengths) * width <= keep_bytes:
            self._keep(rows.lengths)

    def batch(self, indices: Sequence[int]) -> "tuple[Tensor, Shape]":
        """Flat states [prefix + rows·width, hidden] for these rows, ready for gradients."""
        if self.kept_prefix is None:
            states, shape = self._compute(indices)
        else:
            padded = pad_sequence([self.kept[index] for index in indices], batch_first=True)
            shape = Shape(len(self.prefix), len(indices), padded.shape[1])
            states = torch.cat([self.kept_prefix, padded.flatten(0, 1)])
        return states.requires_grad_(), shape

    @torch.no_grad()
    def _compute(self, indices: Sequence[int]) -> "tuple[Tensor, Shape]":
        padded = pad_sequence([self.inputs[index] for index in indices], batch_first=True)
        shape = Shape(len(self.prefix), *padded.shape)
        return self.decoder.run(self.decoder.embed(self.prefix, padded), shape, 0, self.first), shape

    def _keep(self, lengths: Sequence[int]) -> None:
        order = sorted(range(len(lengths)), key=lambda index: (lengths[index], index))
        kept: dict[int, Tensor] = {}
        for start in range(0, len(order), CHUNK):
            indices = order[start : start + CHUNK]
            states, shape = self._compute(indices)
            if self.kept_prefix is None:
                self.kept_prefix = states[: shape.prefix].clone()
            by_row = states[shape.prefix :].view(shape.rows, shape.width, -1)
            kept |= {index: by_row[at, : lengths[index]].clone() for at, index in enumerate(indices)}
        self.kept = [kept[index] for index in range(len(lengths))]
