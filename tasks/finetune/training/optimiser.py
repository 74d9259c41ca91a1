"""AdamW without decay on one flat vector, with warm-up, cosine schedule and clipping.

Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, section 2. LoRA needs no weight decay: B starts at 0.
"""

import math
from typing import TYPE_CHECKING

import torch

from infra.errors import TrainingError

if TYPE_CHECKING:
    from torch import Tensor

BETA_MEAN, BETA_SQUARE, EPSILON = 0.9, 0.99, 1e-8


def learning_rate(step: int, total: int, peak: float, warmup_ratio: float) -> float:
    """Rate of step 1..total: linear to `peak`, then cosine to 0."""
    warmup = math.ceil(total * warmup_ratio)
    if step <= warmup:
        return peak * step / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(total - warmup, 1)))


class Adam:
    """Updates fp32 masters in place from gradients of any dtype."""

    def __init__(self, master: "Tensor", clip_norm: float) -> None:
        self.master = master
        self.clip_norm = clip_norm
        self.mean = torch.zeros_like(master)
        self.square = torch.zeros_like(master)

    def step(self, grad: "Tensor", number: int, rate: float) -> float:
        """Applies update `number` (from 1); returns the gradient's norm before clipping.

        Raises TrainingError, with nothing changed, when the gradient is not finite.
        """
        wide = grad.float()
        norm = float(wide.norm())
        if not math.isfinite(norm):
            raise TrainingError(
                f"training diverged at step {number}: gradient norm is {norm}", "lower the learning rate"
            )
        if norm > self.clip_norm:
            wide = wide.mul_(self.clip_norm / norm)
        self.mean.lerp_(wide, 1 - BETA_MEAN)
        self.square.mul_(BETA_SQUARE).addcmul_(wide, wide, value=1 - BETA_SQUARE)
        spread = (self.square / (1 - BETA_SQUARE**number)).sqrt_().add_(EPSILON)
        self.master.addcdiv_(self.mean, spread, value=-rate / (1 - BETA_MEAN**number))
        return norm
