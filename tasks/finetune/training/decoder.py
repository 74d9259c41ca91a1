"""The decoder's forward pass over [shared prefix + padded suffixes] as one flat list of tokens.

The prefix (system prompt) is computed once for the whole batch, its gradient flows through; or it comes
from a `Memory` of its keys and values that an earlier pass filled.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infra.errors import DataError
from tasks.finetune.training.kernels import fused_matmul, rms_norm, rotate, swiglu
from tasks.finetune.training.linear import FusedLinear

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SUPPORTED = frozenset({"llama", "mistral", "qwen2", "qwen3"})


@dataclass(frozen=True)
class Shape:
    """Prefix tokens, rows, tokens per row (padded on the right) of one flat pass."""

    prefix: int
    rows: int
    width: int


@dataclass(frozen=True)
class Memory:
    """Keys and values [kv heads, prefix, dim] of a prefix, by layer."""

    keys: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)


@dataclass(frozen=True)
class Layer:
    """One decoder layer's weights: two fused matrices, two plain, its norms."""

    qkv: FusedLinear
    out: FusedLinear
    gate_up: FusedLinear
    down: FusedLinear
    norm_in: Any
    norm_mid: Any
    norm_q: Any
    norm_k: Any

    def linears(self) -> tuple[FusedLinear, ...]:
        return (self.qkv, self.out, self.gate_up, self.down)


def unsupported(model: "PreTrainedModel") -> str:
    """Why a model has no flat decoder; empty when it has one."""
    config: Any = model.config
    if config.model_type not in SUPPORTED:
        return f"type {config.model_type} is none of {', '.join(sorted(SUPPORTED))}"
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return "it attends in a sliding window"
    if getattr(config, "hidden_act", "silu") != "silu":
        return f"its activation is {config.hidden_act}"
    body: Any = model.model
    foreign = {type(module).__name__ for module in body.layers.modules() if hasattr(module, "weight")}
    if any("Linear" in name and name != "Linear" for name in foreign):
        return f"its layers hold {', '.join(sorted(foreign))}"
    return ""


class Decoder:
    """The decoder of a causal language model, ready for a flat pass. Raises DataError if unsupported."""

    def __init__(self, model: "PreTrainedModel", linear: type[FusedLinear] = FusedLinear) -> None:
        if reason := unsupported(model):
            raise DataError(f"the base has no flat decoder: {reason}", "use the path through transformers")
        config: Any = model.config
        body: Any = model.model
        self.embedding, self.norm, self.rotary = body.embed_tokens, body.norm, body.rotary_emb
        self.head: Tensor = model.lm_head.weight.data
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        self.head_dim = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.layers = [_layer(f"model.layers.{i}", layer, linear) for i, layer in enumerate(body.layers)]

    def embed(self, ids: Tensor) -> Tensor:
        """Embeddings of flat ids [n]."""
        return functional.embedding(ids, self.embedding.weight)

    def run(
        self,
        hidden: Tensor,
        shape: Shape,
        first: int,
        last: int,
        wanted: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """Layers first..last-1 on flat states [P + rows·width, hidden].

        `wanted` (flat positions) drops every other position after the attention of the last layer run.
        With a filled `memory` the states are those of the rows alone; a `memory` without these layers
        is filled with the prefix's keys and values.
        """
        known = memory is not None and first in memory.keys
        cos, sin = self._angles(shape, hidden.dtype, rows_only=known)
        masks = (_causal_mask(shape.prefix, hidden.dtype), _causal_mask(shape.width, hidden.dtype))
        for index in range(first, last):
            layer = self.layers[index]
            qkv = fused_matmul(rms_norm(hidden, layer.norm_in), layer.qkv)
            queries, keys, values = self._heads(layer, qkv, cos, sin)
            if memory is not None and known:
                mixed = self._rows_attention(queries, keys, values, *memory.keys[index], shape, masks[1])
            else:
                mixed, remembered = self._attention(queries, keys, values, shape, masks)
                if memory is not None:
                    memory.keys[index] = remembered
            if wanted is not None and index == last - 1:
                hidden, mixed = hidden[wanted], mixed[wanted]
            hidden = hidden + fused_matmul(mixed, layer.out)
            normed = rms_norm(hidden, layer.norm_mid)
            hidden = hidden + fused_matmul(swiglu(fused_matmul(normed, layer.gate_up)), layer.down)
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """Vocabulary scores [n, vocabulary] of final states [n, hidden]."""
        return functional.linear(rms_norm(hidden, self.norm), self.head)

    def _angles(self, shape: Shape, dtype: torch.dtype, rows_only: bool) -> tuple[Tensor, Tensor]:
        ends = torch.arange(shape.prefix, shape.prefix + shape.width).repeat(shape.rows)
        positions = ends if rows_only else torch.cat([torch.arange(shape.prefix), ends])
        cos, sin = self.rotary(self.norm.weight, positions[None])
        half = self.head_dim // 2
        return cos[0, :, None, :half].to(dtype).contiguous(), sin[0, :, None, :half].to(dtype).contiguous()

    def _heads(self, layer: Layer, qkv: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values: each [tokens, heads, dim]."""
        split = [self.heads, self.kv_heads, self.kv_heads]
        q, k, v = torch.split(qkv.view(qkv.shape[0], -1, self.head_dim), split, 1)
        if layer.norm_q is not None:
            q, k = rms_norm(q, layer.norm_q), rms_norm(k, layer.norm_k)
        return rotate(q, cos, sin), rotate(k, cos, sin), v

    def _attention(
        self, q: Tensor, k: Tensor, v: Tensor, shape: Shape, masks: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Mixed values [tokens, …] of prefix and rows, and the prefix's keys and values."""
        dim, kv, group = self.head_dim, self.kv_heads, self.heads // self.kv_heads
        sizes = [shape.prefix, shape.rows * shape.width]
        q_head, q_rows = torch.split(q, sizes)
        k_head, k_rows = torch.split(k, sizes)
        v_head, v_rows = torch.split(v, sizes)
        # [kv, group·P, dim] against [kv, P, dim]: grouped queries meet each key without copying it
        q_head = (
            q_head.reshape(shape.prefix, kv, group, dim)
            .permute(1, 2, 0, 3)
            .reshape(kv, group * shape.prefix, dim)
        )
        k_head, v_head = k_head.transpose(0, 1), v_head.transpose(0, 1)
        own = (torch.bmm(q_head, k_head.transpose(1, 2)) * dim**-0.5).view(
            kv, group, shape.prefix, shape.prefix
        )
        weights = torch.softmax(own + masks[0], -1, dtype=torch.float32).to(q.dtype)
        mixed = torch.bmm(weights.view(kv, group * shape.prefix, shape.prefix), v_head).view(
            kv, group, shape.prefix, dim
        )
        head = mixed.permute(2, 0, 1, 3).reshape(shape.prefix, kv * group * dim)
        if not shape.rows:
            return head, (k_head, v_head)
        rows = self._rows_attention(q_rows, k_rows, v_rows, k_head, v_head, shape, masks[1])
        return torch.cat([head, rows]), (k_head, v_head)

    def _rows_attention(
        self, q: Tensor, k: Tensor, v: Tensor, k_head: Tensor, v_head: Tensor, shape: Shape, mask: Tensor
    ) -> Tensor:
        dim, kv, group = self.head_dim, self.kv_heads, self.heads // self.kv_heads
        rows, width, prefix = shape.rows, shape.width, shape.prefix
        q = (
            q.reshape(rows, width, kv, group, dim)
            .permute(2, 0, 3, 1, 4)
            .reshape(kv * rows, group * width, dim)
        )
        k = k.reshape(rows, width, kv, dim).permute(2, 0, 1, 3).reshape(kv * rows, width, dim)
        v = v.reshape(rows, width, kv, dim).permute(2, 0, 1, 3).reshape(kv * rows, width, dim)
        q = q * dim**-0.5
        to_own = torch.bmm(q, k.transpose(1, 2)).view(kv * rows, group, width, width) + mask
        to_head = torch.bmm(
            q.view(kv, rows * group * width, dim), k_head.transpose(1, 2)
        )  # one product for all rows
        shape_own, shape_head = (kv * rows, group * width, width), (kv * rows, group * width, prefix)
        scores = torch.cat([to_head.view(shape_head), to_own.view(shape_own)], -1)
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(q.dtype)
        on_head, on_own = torch.split(weights, [prefix, width], -1)
        mixed = torch.bmm(on_head.reshape(kv, rows * group * width, prefix), v_head).view_as(q)
        mixed = mixed + torch.bmm(on_own, v)
        return mixed.view(kv, rows, group, width, dim).permute(1, 3, 0, 2, 4).reshape(rows * width, -1)


def _layer(name: str, layer: Any, linear: type[FusedLinear]) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp

    def fused(place: str, module: nn.Module, *names: str) -> FusedLinear:
        return linear([(f"{name}.{place}.{n}", getattr(module, n)) for n in names])

    return Layer(
        fused("self_attn", attention, "q_proj", "k_proj", "v_proj"),
        fused("self_attn", attention, "o_proj"),
        fused("mlp", mlp, "gate_proj", "up_proj"),
        fused("mlp", mlp, "down_proj"),
        layer.input_layernorm,
        layer.post_attention_layernorm,
        getattr(attention, "q_norm", None),
        getattr(attention, "k_norm", None),
    )


def _causal_mask(width: int, dtype: torch.dtype) -> Tensor:
    return torch.full((width, width), float("-inf"), dtype=dtype).triu_(1)
