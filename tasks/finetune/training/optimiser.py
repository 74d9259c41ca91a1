"""AdamW without decay on one flat vector, with warm-up, schedule and clipping.

Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, section 2. LoRA needs no weight decay: B starts at 0.
"""

import math
from typing import TYPE_CHECKING, Literal

import torch

from infra.errors import Diverged
from tasks.finetune.training import divergence

if TYPE_CHECKING:
    from torch import Tensor

BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.99, 1e-8


Schedule = Literal["cosine", "linear", "constant"]


def learning_rate(
    step: int,
    total: int,
    peak: float,
    warmup_ratio: float,
    schedule: Schedule = "cosine",
    final_ratio: float = 0.0,
) -> float:
    """Rate of step 1..total: linear to `peak`, then by the schedule to `final_ratio` of it."""
    warmup = math.ceil(total * warmup_ratio)
    if step <= warmup:
        return peak * step / warmup
    if schedule == "constant":
        return peak
    done = (step - warmup) / max(total - warmup, 1)
    left = 0.5 * (1 + math.cos(math.pi * done)) if schedule == "cosine" else 1 - done
    return peak * (final_ratio + (1 - final_ratio) * left)


class Adam:
    """Updates fp32 masters in place from gradients of any dtype."""

    def __init__(self, master: "Tensor", clip_norm: float) -> None:
        self.master = master
        self.clip_norm = clip_norm
        self.mean = torch.zeros_like(master)
        self.square = torch.zeros_like(master)

    def step(self, grad: "Tensor", number: int, rate: float) -> float:
        """Applies update `number` (from 1); returns the gradient's norm before clipping.

        Raises Diverged, with nothing changed, when the gradient is not finite.
        """
        wide = grad.float()
        norm = float(wide.norm())
        if not math.isfinite(norm):
            raise Diverged(f"training diverged at step {number}: gradient norm is {norm}", divergence.HINT)
        if norm > self.clip_norm:
            wide = wide.mul_(self.clip_norm / norm)
        self.mean.lerp_(wide, 1 - BETA_MEAN)
        self.square.mul_(BETA_SQUARE).addcmul_(wide, wide, value=1 - BETA_SQUARE)
        spread = (self.square / (1 - BETA_SQUARE**number)).sqrt_().add_(EPSILON)
        self.master.addcdiv_(self.mean, spread, value=-rate / (1 - BETA_MEAN**number))
        return norm
