"""What the loop needs of a forward and backward pass; which of the two it gets.

engine, why = choose_engine(loaded, rows, settings)     # "flat", or "reference" and the reason
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from infra.errors import AssayError
from infra.models.load import LoadedModel
from tasks.finetune.training.decoder import unsupported
from tasks.finetune.training.rows import EncodedRows
from tasks.finetune.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)


class Engine(Protocol):
    """LoRA parameters of the top layers of a model as one flat vector, and the loss over given rows."""

    name: str
    first: int
    """Index of the first trained layer."""
    master: "Tensor"
    """fp32 parameters, flat; the optimiser writes them."""
    grad: "Tensor"
    """Gradient of the last loss that went backward, in the model's dtype."""

    def start_epoch(self, number: int) -> None:
        """Called before the first step of epoch `number` (from 1) that this process does."""

    def loss(self, indices: Sequence[int]) -> "Tensor":
        """Mean cross-entropy over the answers' tokens of these rows; its backward fills `grad`."""

    def publish(self) -> None:
        """Brings the model's weights up to date with `master`."""

    def masters(self) -> "dict[str, Tensor]":
        """Views of `master`: the adapter under peft's tensor names, fp32."""

    def gradients(self) -> "dict[str, Tensor]":
        """Views of `grad` under the same names."""


def first_trained(depth: int, settings: TrainingSettings) -> int:
    """Index of the first layer that is trained in a model of `depth` layers."""
    return depth - min(settings.trained_layers or depth, depth)


def choose_engine(loaded: LoadedModel, rows: EncodedRows, settings: TrainingSettings) -> tuple[Engine, str]:
    """The flat engine where it is proved to compute the same, else the reference and the reason."""
    from tasks.finetune.training.reference import ReferenceEngine

    reason = flat_refusal(loaded, rows, settings)
    if not reason:
        from tasks.finetune.training.flat import FlatEngine

        return FlatEngine(loaded.model, rows, settings), ""
    log.warning("training runs on the reference path, several times slower: %s", reason)
    return ReferenceEngine(loaded.model, rows, settings), reason


def flat_refusal(loaded: LoadedModel, rows: EncodedRows, settings: TrainingSettings) -> str:
    """Why the flat engine may not train this model; empty when it may."""
    from tasks.finetune.training.selfcheck import compare

    if reason := unsupported(loaded.model):
        return reason
    try:
        return compare(loaded.model, rows, settings).refusal
    except (AssayError, RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        return f"its self-check failed: {type(error).__name__}: {error}"
