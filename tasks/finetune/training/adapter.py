"""The trained part: LoRA matrices of chosen layers in one flat fp32 vector, merged into working weights.

Flat storage makes the optimiser, the norm and the checkpoint one tensor each.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from tasks.finetune.training.linear import FusedLinear

if TYPE_CHECKING:
    from torch.nn import Linear


@dataclass
class LoraPart:
    """One adapted module inside a fused matrix: rows `start:stop` of the output, its A and B."""

    name: str
    start: int
    stop: int
    low: Tensor  # A: [rank, in]
    high: Tensor  # B: [out, rank]
    low_master: Tensor
    high_master: Tensor
    low_grad: Tensor
    high_grad: Tensor


class AdaptedLinear(FusedLinear):
    """A fused matrix with LoRA parts."""

    def __init__(self, modules: "Sequence[tuple[str, Linear]]") -> None:
        super().__init__(modules)
        self.parts: list[LoraPart] = []
        self.lows: Tensor | None = None
        self.lows_grad: Tensor | None = None
        self.scale = 0.0

    def size(self, targets: frozenset[str], rank: int) -> int:
        """Number of LoRA parameters that these targets need here."""
        chosen = [module for name, module in self.modules if name.rsplit(".", 1)[-1] in targets]
        return sum(rank * (module.in_features + module.out_features) for module in chosen)

    def attach(
        self, targets: frozenset[str], rank: int, scale: float, master: Tensor, work: Tensor, grad: Tensor
    ) -> None:
        """Lays the LoRA matrices of the targeted modules out in three flat vectors of `size` numbers."""
        chosen = [(name, module) for name, module in self.modules if name.rsplit(".", 1)[-1] in targets]
        if not chosen:
            return
        width = self.weight.shape[1]
        split = len(chosen) * rank * width
        low_master = master[:split].view(-1, width)
        self.lows, self.lows_grad = work[:split].view(-1, width), grad[:split].view(-1, width)
        self.scale, self.merged = scale, self.weight.clone()
        self.lend()
        row, offset, index = 0, split, 0
        for name, module in self.modules:
            stop = row + module.out_features
            if any(name == other for other, _ in chosen):
                end, ranks = offset + module.out_features * rank, slice(index * rank, (index + 1) * rank)
                high, high_master, high_grad = (v[offset:end].view(-1, rank) for v in (work, master, grad))
                low, low_grad = self.lows[ranks], self.lows_grad[ranks]
                self.parts.append(
                    LoraPart(name, row, stop, low, high, low_master[ranks], high_master, low_grad, high_grad)
                )
                offset, index = end, index + 1
            row = stop

    def merge(self) -> None:
        """Brings the working weights up to date: W + sBA."""
        for part in self.parts:
            torch.addmm(
                self.weight[part.start : part.stop],
                part.high,
                part.low,
                alpha=self.scale,
                out=self.merged[part.start : part.stop],
            )

    def accumulate(self, x: Tensor, grad: Tensor) -> None:
        """Writes the gradients of A and B for input `x` and output gradient `grad` ([tokens, …])."""
        if self.lows is None or self.lows_grad is None:
            return
        projected = (x @ self.lows.t()).mul_(self.scale)
        back = torch.empty_like(projected)
        rank = self.parts[0].low.shape[0]
        for index, part in enumerate(self.parts):
            columns = slice(index * rank, (index + 1) * rank)
            part_grad = grad[:, part.start : part.stop]
            torch.mm(part_grad.t(), projected[:, columns], out=part.high_grad)
            torch.mm(part_grad, part.high, out=back[:, columns])
        torch.mm(back.t(), x, out=self.lows_grad)
        self.lows_grad.mul_(self.scale)


class LoraAdapter:
    """All LoRA parameters of a decoder: fp32 masters, working copy and gradient, each one flat vector."""

    def __init__(
        self, layers: "Sequence[AdaptedLinear]", targets: frozenset[str], rank: int, alpha: float, seed: int
    ) -> None:
        self.layers = [layer for layer in layers if layer.size(targets, rank)]
        sizes = [layer.size(targets, rank) for layer in self.layers]
        dtype = self.layers[0].weight.dtype
        self.master = torch.zeros(sum(sizes))
        self.work = torch.zeros(sum(sizes), dtype=dtype)
        self.grad = torch.zeros(sum(sizes), dtype=dtype)
        vectors = zip(
            *(torch.split(vector, sizes) for vector in (self.master, self.work, self.grad)), strict=True
        )
        for layer, (master, work, grad) in zip(self.layers, vectors, strict=True):
            layer.attach(targets, rank, alpha / rank, master, work, grad)
        generator = torch.Generator().manual_seed(seed)
        for part in self.parts():
            # As peft does; B = 0, so the first step starts from the base model.
            nn.init.kaiming_uniform_(part.low_master, a=math.sqrt(5), generator=generator)
        self.publish()

    def parts(self) -> list[LoraPart]:
        """Every adapted module, in layer order."""
        return [part for layer in self.layers for part in layer.parts]

    def publish(self) -> None:
        """Rounds the masters to the model's dtype and merges them into the working weights."""
        self.work.copy_(self.master)
        for layer in self.layers:
            layer.merge()

    def by_name(self, pair: Callable[[LoraPart], tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        """What belongs to A and to B of every part, under peft's tensor names."""
        return {
            tensor_name(part.name, side): tensor
            for part in self.parts()
            for side, tensor in zip("AB", pair(part), strict=True)
        }


def tensor_name(module: str, side: str) -> str:
    """peft's name of an adapter's A or B."""
    return f"base_model.model.{module}.lora_{side}.weight"
