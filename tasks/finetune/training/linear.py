"""Linear modules that read the same input (q, k, v or gate, up) as one matrix, lent back to the model."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Linear


class FusedLinear:
    """One matrix product instead of several. The model's own modules become views of its rows."""

    def __init__(self, modules: "Sequence[tuple[str, Linear]]") -> None:
        import torch

        self.modules = list(modules)
        self.weight = _fused([module.weight.data for _, module in modules])
        biases = [module.bias for _, module in modules]
        self.bias = torch.cat([bias.data for bias in biases]) if biases[0] is not None else None
        self.merged = self.weight
        self.lend()

    def lend(self) -> None:
        """Makes the model's modules views of `merged`: the model is scored as it is trained."""
        import torch

        sizes = [module.out_features for _, module in self.modules]
        for (_, module), rows in zip(self.modules, torch.split(self.merged, sizes), strict=True):
            module.weight.data = rows

    def accumulate(self, x: "Tensor", grad: "Tensor") -> None:
        """Takes the gradients for input `x` and output gradient `grad` ([tokens, …]); frozen: nothing."""


def _fused(weights: "Sequence[Tensor]") -> "Tensor":
    """The rows of all weights; without a copy where another fused matrix lent them."""
    import torch

    first, end = weights[0], weights[0].data_ptr()
    for weight in weights:
        if weight.data_ptr() != end or not weight.is_contiguous():
            return torch.cat(list(weights))
        end += weight.numel() * weight.element_size()
    rows = sum(weight.shape[0] for weight in weights)
    if first.untyped_storage().nbytes() < (first.storage_offset() + rows * first.shape[1]) * first.itemsize:
        return torch.cat(list(weights))
    return first.as_strided((rows, first.shape[1]), (first.shape[1], 1))
