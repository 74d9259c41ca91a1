"""Differentiable pieces of a decoder layer with hand-written backward passes.

Each keeps only what its backward needs; autograd's own versions spend a third of a CPU step on
bf16 copies of intermediates.
"""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from tasks.finetune.training.linear import FusedLinear


class FusedMatmul(torch.autograd.Function):
    """y = x Wᵀ, where W may be W + sBA; the layer turns gradients into those of A and B itself.

    Hu et al. 2021, https://arxiv.org/abs/2106.09685. The sum W + sBA is kept merged in the model's
    dtype (one matrix product less per pass, and exactly the weights that will be served).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: "FusedLinear") -> Tensor:
        ctx.layer = layer
        ctx.save_for_backward(x)
        return functional.linear(x, layer.merged, layer.bias)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (x,) = ctx.saved_tensors
        ctx.layer.accumulate(x, grad)
        return grad @ ctx.layer.merged, None


class RmsNorm(torch.autograd.Function):
    """y = w · x / rms(x), computed in fp32. Zhang & Sennrich 2019, https://arxiv.org/abs/1910.07467."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = x.float()
        inverse = torch.rsqrt(wide.square().mean(-1, keepdim=True).add_(eps))
        normed = wide.mul_(inverse).to(x.dtype) if x.dtype != torch.float32 else wide * inverse
        ctx.save_for_backward(normed, inverse, weight)
        return normed * weight

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        normed, inverse, weight = ctx.saved_tensors
        inner = (grad * weight).float()
        normed = normed.float()
        along = (inner * normed).mean(-1, keepdim=True)
        return (
            inner.sub_(normed.mul_(along) if normed.dtype != grad.dtype else normed * along)
            .mul_(inverse)
            .to(grad.dtype),
            None,
            None,
        )


class SwiGlu(torch.autograd.Function):
    """y = silu(gate) · up over a [tokens, 2·width] input. Shazeer 2020, https://arxiv.org/abs/2002.05202."""

    @staticmethod
    def forward(ctx: Any, both: Tensor) -> Tensor:
        gate, up = both.chunk(2, -1)
        active = functional.silu(gate)
        ctx.save_for_backward(both, active)
        return active * up

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        both, active = ctx.saved_tensors
        gate, up = both.chunk(2, -1)
        result = torch.empty_like(both)
        by_gate, by_up = result.chunk(2, -1)
        torch.mul(grad, active, out=by_up)
        torch.mul(grad, up, out=by_gate)
        torch.ops.aten.silu_backward.grad_input(by_gate, gate, grad_input=by_gate)
        return result


class Rotate(torch.autograd.Function):
    """Rotary position embedding over [tokens, heads, dim]. Su et al. 2021, https://arxiv.org/abs/2104.09864."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return _rotate(x, cos, sin)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return _rotate(grad, cos, -sin), None, None  # the inverse rotation


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    low, high = x.chunk(2, -1)
    result = torch.empty_like(x)
    out_low, out_high = result.chunk(2, -1)
    torch.mul(low, cos, out=out_low).addcmul_(high, sin, value=-1)
    torch.mul(high, cos, out=out_high).addcmul_(low, sin)
    return result


def fused_matmul(x: Tensor, layer: "FusedLinear") -> Tensor:
    """Linear map of [tokens, in]; its backward hands the gradient to the layer."""
    return _typed(FusedMatmul, x, layer)


def rms_norm(x: Tensor, norm: Any) -> Tensor:
    """Normalisation by a model's own norm module (frozen weight, `variance_epsilon`)."""
    return _typed(RmsNorm, x, norm.weight, norm.variance_epsilon)


def swiglu(both: Tensor) -> Tensor:
    """Gated activation of [tokens, 2·width]."""
    return _typed(SwiGlu, both)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding of [tokens, heads, dim] by cos and sin [tokens, 1, dim/2]."""
    return _typed(Rotate, x, cos, sin)


def _typed(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    result: Tensor = function.apply(*inputs)
    return result
