"""Start-up proof that the flat engine computes what transformers and peft compute for this very model.

compare(model, rows, settings).refusal       # empty: equal loss and gradients, in fp32

Run on a copy of the last frozen, the first and the last trained layer, in fp32 and with the few tokens
that the check's rows use as its vocabulary: a second instead of a minute, every kind of weight is in it.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from tasks.finetune.training.engine import Engine, first_trained
from tasks.finetune.training.flat import FlatEngine
from tasks.finetune.training.reference import ReferenceEngine
from tasks.finetune.training.rows import EncodedRow, EncodedRows
from tasks.finetune.training.settings import TrainingSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Relative; two orders of summing in fp32 differ by about 2e-6.
TOLERANCE = 1e-5
# A matrix whose own gradient is small next to the others has fewer exact digits.
WORST = 1e-3
ROWS = 4


@dataclass(frozen=True)
class Comparison:
    """How far two engines differ, each relative to the reference; norms are Frobenius norms."""

    loss: float
    gradient: float
    """Of the whole gradient."""
    worst: float
    """Of the LoRA matrix that differs most: a small one that is wrong hides in the whole."""

    @property
    def refusal(self) -> str:
        """Why the flat engine may not be used; empty when it may. NaN refuses."""
        if self.loss <= TOLERANCE and self.gradient <= TOLERANCE and self.worst <= WORST:
            return ""
        return (
            f"self-check: loss differs by {self.loss:.1e}, gradients by {self.gradient:.1e}"
            f" (worst matrix {self.worst:.1e})"
            f" from transformers, allowed is {TOLERANCE:.0e}"
        )


def compare(model: "PreTrainedModel", rows: EncodedRows, settings: TrainingSettings) -> Comparison:
    """Loss and gradients of both engines on the shortest, the longest and two more rows."""
    sample = _sample(rows)
    depth = int(model.config.num_hidden_layers)
    first = first_trained(depth, settings)
    kept = sorted({max(first - 1, 0), first, depth - 1})
    small, sample = shrunk(model, sample, kept)
    settings = replace(settings, trained_layers=sum(layer >= first for layer in kept))
    flat: Engine = FlatEngine(copy.deepcopy(small), sample, settings)
    reference: Engine = ReferenceEngine(small, sample, settings)
    return compare_engines(flat, reference, range(len(sample.rows)))


def compare_engines(flat: Engine, reference: Engine, indices: Sequence[int]) -> Comparison:
    """Sets both to the same adapter, B not zero, and compares one step's loss and gradients."""
    generator = torch.Generator().manual_seed(0)
    masters = {}
    for name, tensor in reference.masters().items():
        masters[name] = torch.randn(tensor.shape, generator=generator) * 0.02
    for engine in (flat, reference):
        _set(engine, masters)
    losses = []
    for engine in (flat, reference):
        engine.start_epoch(1)
        loss = engine.loss(indices)
        loss.backward()
        losses.append(float(loss.detach()))
    ours, theirs = flat.gradients(), reference.gradients()
    if ours.keys() != theirs.keys():
        return Comparison(math.nan, math.nan, math.nan)
    apart = [float((ours[name] - theirs[name]).norm()) for name in theirs]
    sizes = [float(theirs[name].norm()) for name in theirs]
    shares = [part / max(size, 1e-12) for part, size in zip(apart, sizes, strict=True)]
    whole = math.hypot(*apart) / math.hypot(*sizes)
    worst = max(shares) if math.isfinite(sum(shares)) else math.nan
    return Comparison(abs(losses[0] - losses[1]) / abs(losses[1]), whole, worst)


def shrunk(
    model: "PreTrainedModel", rows: EncodedRows, kept: Sequence[int]
) -> "tuple[PreTrainedModel, EncodedRows]":
    """An fp32 copy of the layers `kept`, and the rows in its vocabulary."""
    tokens = sorted({*rows.prefix, *(token for row in rows.rows for token in (*row.inputs, *row.targets))})
    place = {token: at for at, token in enumerate(tokens)}
    config = copy.deepcopy(model.config)
    config.num_hidden_layers, config.vocab_size = len(kept), len(tokens)
    config.pad_token_id = config.bos_token_id = config.eos_token_id = None
    if getattr(config, "layer_types", None):
        config.layer_types = [config.layer_types[layer] for layer in kept]
    config.dtype = torch.float32
    small = _empty(type(model), config)
    state = {}
    for name, value in model.state_dict().items():
        parts = name.split(".")
        if parts[:2] == ["model", "layers"]:
            if int(parts[2]) not in kept:
                continue
            name = ".".join(["model", "layers", str(kept.index(int(parts[2]))), *parts[3:]])
        if value.shape[:1] == (model.config.vocab_size,):
            value = value[tokens]
        state[name] = value.detach().float()
    small.load_state_dict(state)
    small.eval().requires_grad_(False)
    return small, _renamed(rows, place)


def _empty(kind: Any, config: Any) -> Any:
    from transformers.initialization import no_init_weights

    with no_init_weights():
        small = kind(config)
    small.set_attn_implementation("eager")
    return small.float()


def _renamed(rows: EncodedRows, place: dict[int, int]) -> EncodedRows:
    def through(tokens: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(place[token] for token in tokens)

    renamed = tuple(EncodedRow(through(row.inputs), through(row.targets)) for row in rows.rows)
    return EncodedRows(through(rows.prefix), renamed, (tuple(range(len(renamed))),))


def _sample(rows: EncodedRows) -> EncodedRows:
    order = sorted(range(len(rows.rows)), key=lambda index: (len(rows.rows[index].inputs), index))
    step = max(1, (len(order) - 1) // (ROWS - 1)) if len(order) > 1 else 1
    chosen = list(dict.fromkeys([*order[::step][: ROWS - 1], order[-1]]))
    return EncodedRows(rows.prefix, tuple(rows.rows[index] for index in chosen), (tuple(range(len(chosen))),))


def _set(engine: Engine, masters: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, view in engine.masters().items():
            view.copy_(masters[name])
    engine.publish()
