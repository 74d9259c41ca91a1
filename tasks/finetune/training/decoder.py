"""A Llama-shaped decoder run over [shared prefix + padded suffixes] as one flat list of tokens.

The prefix (system prompt) is computed once per step for the whole batch and its gradient flows
through; below the first trained layer nothing changes, so those states are computed once per run.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from infra.errors import TrainingError
from tasks.finetune.training.adapter import AdaptedLinear
from tasks.finetune.training.kernels import lora_matmul, rms_norm, rotate, swiglu

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
class Layer:
    """One decoder layer's weights: three fused matrices, one plain, its norms."""

    qkv: AdaptedLinear
    out: AdaptedLinear
    gate_up: AdaptedLinear
    down: AdaptedLinear
    norm_in: Any
    norm_mid: Any
    norm_q: Any
    norm_k: Any

    def linears(self) -> tuple[AdaptedLinear, ...]:
        return (self.qkv, self.out, self.gate_up, self.down)


class Decoder:
    """The decoder of a causal language model, ready for a flat pass. Raises TrainingError if unsupported."""

    def __init__(self, model: "PreTrainedModel") -> None:
        config = model.config
        if config.model_type not in SUPPORTED or getattr(config, "sliding_window", None):
            raise TrainingError(
                f"base of type '{config.model_type}' has no training path",
                f"choose a base of type {', '.join(sorted(SUPPORTED))} without sliding window",
            )
        body: Any = model.model
        self.embedding, self.norm, self.rotary = body.embed_tokens, body.norm, body.rotary_emb
        self.head: Tensor = model.lm_head.weight.data
        self.heads = config.num_attention_heads
        self.kv_heads = config.num_key_value_heads
        self.head_dim = getattr(config, "head_dim", None) or config.hidden_size // self.heads
        self.layers = [_layer(f"model.layers.{i}", layer) for i, layer in enumerate(body.layers)]

    def embed(self, prefix: Tensor, rows: Tensor) -> Tensor:
        """Flat embeddings of prefix ids [P] and suffix ids [rows, width]."""
        return functional.embedding(torch.cat([prefix, rows.flatten()]), self.embedding.weight)

    def run(
        self, hidden: Tensor, shape: Shape, first: int, last: int, wanted: Tensor | None = None
    ) -> Tensor:
        """Layers first..last-1 on flat states [P + rows·width, hidden].

        `wanted` (flat positions) drops every other position after the attention of the last layer run.
        """
        cos, sin = self._angles(shape, hidden.dtype)
        mask = _causal_mask(shape.width, hidden.dtype)
        prefix_mask = _causal_mask(shape.prefix, hidden.dtype)
        for index in range(first, last):
            layer = self.layers[index]
            normed = rms_norm(hidden, layer.norm_in)
            mixed = self._attention(layer, lora_matmul(normed, layer.qkv), shape, cos, sin, mask, prefix_mask)
            if wanted is not None and index == last - 1:
                hidden, mixed = hidden[wanted], mixed[wanted]
            hidden = hidden + lora_matmul(mixed, layer.out)
            normed = rms_norm(hidden, layer.norm_mid)
            hidden = hidden + lora_matmul(swiglu(lora_matmul(normed, layer.gate_up)), layer.down)
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """Vocabulary scores [n, vocabulary] of final states [n, hidden]."""
        normed = rms_norm(hidden, self.norm)
        return functional.linear(normed, self.head)

    def _angles(self, shape: Shape, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        ends = torch.arange(shape.prefix, shape.prefix + shape.width)
        positions = torch.cat([torch.arange(shape.prefix), ends.repeat(shape.rows)])
        cos, sin = self.rotary(self.norm.weight, positions[None])
        half = self.head_dim // 2
        return cos[0, :, None, :half].to(dtype).contiguous(), sin[0, :, None, :half].to(dtype).contiguous()

    def _attention(
        self,
        layer: Layer,
        qkv: Tensor,
        shape: Shape,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        prefix_mask: Tensor,
    ) -> Tensor:
        tokens, dim, kv, group = qkv.shape[0], self.head_dim, self.kv_heads, self.heads // self.kv_heads
        q, k, v = torch.split(qkv.view(tokens, -1, dim), [self.heads, kv, kv], 1)
        if layer.norm_q is not None:
            q = rms_norm(q, layer.norm_q)
            k = rms_norm(k, layer.norm_k)
        sizes = [shape.prefix, shape.rows * shape.width]
        q_head, q_rows = torch.split(rotate(q, cos, sin), sizes)
        k_head, k_rows = torch.split(rotate(k, cos, sin), sizes)
        v_head, v_rows = torch.split(v, sizes)
        # [kv, group·P, dim] against [kv, P, dim]: grouped queries meet each key without copying it
        q_head = q_head.reshape(shape.prefix, kv, group, dim).permute(1, 2, 0, 3).reshape(kv, -1, dim)
        k_head, v_head = k_head.transpose(0, 1), v_head.transpose(0, 1)
        scale = dim**-0.5
        own = (torch.bmm(q_head, k_head.transpose(1, 2)) * scale).view(
            kv, group, shape.prefix, -1
        ) + prefix_mask
        weights = torch.softmax(own, -1, dtype=torch.float32).to(qkv.dtype).view(kv, -1, shape.prefix)
        head = torch.bmm(weights, v_head).view(kv, group, shape.prefix, dim).permute(2, 0, 1, 3)
        rows = self._rows_attention(q_rows, k_rows, v_rows, k_head, v_head, shape, mask, scale)
        return torch.cat([head.reshape(shape.prefix, -1), rows])

    def _rows_attention(
        self,
        q: Tensor,
        k: Tensor,
        v: Tensor,
        k_head: Tensor,
        v_head: Tensor,
        shape: Shape,
        mask: Tensor,
        scale: float,
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
        q = q * scale
        to_own = torch.bmm(q, k.transpose(1, 2)).view(kv * rows, group, width, width) + mask
        to_head = torch.bmm(q.view(kv, -1, dim), k_head.transpose(1, 2))  # one product for all rows
        scores = torch.cat([to_head.view(kv * rows, -1, prefix), to_own.view(kv * rows, -1, width)], -1)
        weights = torch.softmax(scores, -1, dtype=torch.float32).to(q.dtype)
        on_head, on_own = torch.split(weights, [prefix, width], -1)
        mixed = torch.bmm(on_head.reshape(kv, -1, prefix), v_head).view(kv * rows, -1, dim)
        mixed = mixed + torch.bmm(on_own, v)
        return mixed.view(kv, rows, group, width, dim).permute(1, 3, 0, 2, 4).reshape(rows * width, -1)


def _layer(name: str, layer: Any) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp

    def adapted(place: str, module: Any, *names: str) -> AdaptedLinear:
        return AdaptedLinear([(f"{name}.{place}.{n}", getattr(module, n)) for n in names])

    return Layer(
        adapted("self_attn", attention, "q_proj", "k_proj", "v_proj"),
        adapted("self_attn", attention, "o_proj"),
        adapted("mlp", mlp, "gate_proj", "up_proj"),
        adapted("mlp", mlp, "down_proj"),
        layer.input_layernorm,
        layer.post_attention_layernorm,
        getattr(attention, "q_norm", None),
        getattr(attention, "k_norm", None),
    )


def _causal_mask(width: int, dtype: torch.dtype) -> Tensor:
    return torch.full((width, width), float("-inf"), dtype=dtype).triu_(1)
