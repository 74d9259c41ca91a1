"""Hidden states at the input of the first trained layer, kept because nothing below it changes.

Each distinct row belongs to one chunk for good: a row's bits must not depend on what else happens to be
in memory, or a resumed run would differ from one that was never interrupted.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn.utils.rnn import pad_sequence

from tasks.finetune.training.decoder import Decoder, Memory, Shape
from tasks.finetune.training.rows import EncodedRows

if TYPE_CHECKING:
    from torch import Tensor

# Bound on what is kept. An epoch that needs more has its states computed again for every batch.
KEEP_BYTES = 2 << 30
# Rows per pass while the states are being computed.
CHUNK = 64


class FrozenStates:
    """What the untrained lower layers make of each row, by row index."""

    def __init__(
        self, decoder: Decoder, rows: EncodedRows, first_trained: int, keep_bytes: int = KEEP_BYTES
    ) -> None:
        self.decoder, self.rows, self.first = decoder, rows, first_trained
        self.prefix = torch.tensor(rows.prefix, dtype=torch.long)
        self.inputs = [torch.tensor(row.inputs, dtype=torch.long) for row in rows.rows]
        self.lengths = rows.lengths
        width = decoder.embedding.weight.shape[1] * decoder.embedding.weight.element_size()
        self.keep_tokens = keep_bytes // width
        self.chunks = _chunks(rows)
        self.home = {index: chunk for chunk in self.chunks for index in chunk}
        self.kept: dict[int, Tensor] = {}
        self.memory = Memory()
        self.kept_prefix = self._prefix()
        self.keeps = False

    def start_epoch(self, number: int) -> None:
        """Makes the states of this epoch's rows ready, forgetting others when room is short."""
        wanted = dict.fromkeys(self.rows.epoch(number))
        self.keeps = self.first > 0 and sum(self.lengths[index] for index in wanted) <= self.keep_tokens
        if not self.keeps:
            self.kept = {}
            return
        missing = [index for index in wanted if index not in self.kept]
        room = self.keep_tokens - sum(self.lengths[index] for index in {*missing, *wanted})
        later = {index for epoch in self.rows.epochs[number:] for index in epoch}
        for index in [index for index in self.kept if index not in wanted]:
            if index not in later or self.lengths[index] > room:
                del self.kept[index]
            else:
                room -= self.lengths[index]
        for chunk in dict.fromkeys(self.home[index] for index in missing):
            self._keep(chunk, [index for index in chunk if index in wanted and index not in self.kept])

    def batch(self, indices: Sequence[int]) -> "tuple[Tensor, Shape]":
        """Flat states [prefix + rows·width, hidden] for these rows, ready for gradients."""
        if self.keeps:
            padded = pad_sequence([self.kept[index] for index in indices], batch_first=True)
            shape = Shape(len(self.prefix), *padded.shape[:2])
            states = padded.flatten(0, 1)
        else:
            states, shape = self._rows(indices)
        return torch.cat([self.kept_prefix, states]).requires_grad_(), shape

    @torch.no_grad()
    def _prefix(self) -> "Tensor":
        shape = Shape(len(self.prefix), 0, 0)
        return self.decoder.run(self.decoder.embed(self.prefix), shape, 0, self.first, memory=self.memory)

    @torch.no_grad()
    def _rows(self, indices: Sequence[int]) -> "tuple[Tensor, Shape]":
        padded = pad_sequence([self.inputs[index] for index in indices], batch_first=True)
        shape = Shape(len(self.prefix), *padded.shape)
        states = self.decoder.embed(padded.flatten())
        return self.decoder.run(states, shape, 0, self.first, memory=self.memory), shape

    def _keep(self, chunk: tuple[int, ...], wanted: Sequence[int]) -> None:
        states, shape = self._rows(chunk)
        by_row = states.view(shape.rows, shape.width, -1)
        at = {index: place for place, index in enumerate(chunk)}
        for index in wanted:
            self.kept[index] = by_row[at[index], : self.lengths[index]].clone()


def _chunks(rows: EncodedRows) -> list[tuple[int, ...]]:
    """Rows in groups of like length, those of one epoch's first appearance together."""
    lengths, seen, chunks = rows.lengths, set[int](), list[tuple[int, ...]]()
    for epoch in rows.epochs:
        new = sorted(set(epoch) - seen, key=lambda index: (lengths[index], index))
        seen.update(new)
        chunks += [tuple(new[start : start + CHUNK]) for start in range(0, len(new), CHUNK)]
    return chunks
