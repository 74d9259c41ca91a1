"""Greedy decoding of a batch: the shared start of all prompts is computed once, rows that end leave.

prefix = SharedPrefix(loaded.model, ids)          # its keys and values, once
decode_rows(prefix, rows, likeliest)              # calls row.take(token) until every row has ended

The model server, the scorer and the generator stand on this: what is measured is computed as it is served.
"""

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from infra.models.chat import encode_answer
from infra.models.load import LoadedModel

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


class DecodedRow(Protocol):
    """One answer in the making."""

    @property
    def prompt(self) -> Sequence[int]:
        """Token ids up to the answer; at least one more than the prefix shares."""

    @property
    def last(self) -> int:
        """The token taken last."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is wanted."""

    def take(self, token: int) -> None:
        """Add a token to the answer."""


class SharedPrefix:
    """Token ids that prompts begin with, and the model's keys and values of them; call in inference mode."""

    def __init__(self, model: "PreTrainedModel", ids: Sequence[int]) -> None:
        self.model, self.ids = model, tuple(ids)
        self._cache = self._compute()

    def _compute(self) -> Any:
        import torch
        from transformers.cache_utils import DynamicCache

        # Whole layers, also of models with sliding windows: their masks see to the window, and it can be cut.
        cache = DynamicCache()
        if self.ids:
            self.model.model(input_ids=torch.tensor([self.ids]), past_key_values=cache, use_cache=True)
        return cache

    def shared_with(self, prompts: Sequence[Sequence[int]]) -> int:
        """Tokens of the prefix that all prompts have, and leave one: where text follows, tokens may merge."""
        return min(_agreement(self.ids, prompt) for prompt in prompts)

    def continued(self, rows: "Tensor", start: int | None = None, **more: Any) -> tuple["Tensor", Any]:
        """Final states [rows, width, hidden] of right-padded rows behind the prefix, and their cache.

        With `start`, behind its first `start` tokens alone. `more` goes to the model.
        """
        past = copy.deepcopy(self._cache)  # the model appends to the cache that it is given
        start = len(self.ids) if start is None else start
        if 0 < start < len(self.ids):
            past.crop(start)
        if start == 0:
            past = type(past)()
        else:
            past.batch_repeat_interleave(rows.shape[0])
        output = self.model.model(input_ids=rows, past_key_values=past, use_cache=True, **more)
        return output.last_hidden_state, past


def decode_rows(
    prefix: SharedPrefix,
    rows: "Sequence[DecodedRow]",
    choose: "Callable[[Sequence[Any], Tensor], Sequence[int]]",
) -> None:
    """Takes tokens until every row has ended; `choose(rows, states [rows, hidden])` gives one for each."""
    import torch

    start = prefix.shared_with([row.prompt for row in rows])
    suffixes = [list(row.prompt[start:]) for row in rows]
    lengths = torch.tensor([len(suffix) for suffix in suffixes])
    states, past = prefix.continued(right_padded(suffixes), start)
    states = states[torch.arange(len(rows)), lengths - 1]
    # Padding stays in the cache as holes that no later token sees.
    width = max(map(len, suffixes))
    mask = torch.cat([torch.ones(len(rows), start), torch.arange(width) < lengths[:, None]], dim=1).long()
    position = lengths + start
    while True:
        for row, token in zip(rows, choose(rows, states), strict=True):
            row.take(token)
        kept = [index for index, row in enumerate(rows) if not row.ended]
        if not kept:
            return
        if len(kept) < len(rows):
            rows, keep = [rows[index] for index in kept], torch.tensor(kept)
            past.batch_select_indices(keep)
            mask, position = mask[keep], position[keep]
        mask = torch.cat([mask, torch.ones(len(rows), 1, dtype=mask.dtype)], dim=1)
        states = prefix.model.model(
            input_ids=torch.tensor([[row.last] for row in rows]),
            past_key_values=past,
            use_cache=True,
            attention_mask=mask,
            position_ids=position[:, None],
        ).last_hidden_state[:, -1]
        position = position + 1


def end_tokens(loaded: LoadedModel) -> frozenset[int]:
    """Tokens that end an answer: the chat template's end of turn and what the model itself names."""
    named = loaded.model.generation_config.eos_token_id
    listed = named if isinstance(named, list) else [] if named is None else [named]
    return frozenset({encode_answer(loaded.tokenizer, "x")[-1], *map(int, listed)})


def right_padded(rows: Sequence[Sequence[int]]) -> "Tensor":
    """Ids padded on the right: under a causal mask no real token sees the padding."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def _agreement(prefix: Sequence[int], prompt: Sequence[int]) -> int:
    most = min(len(prefix), len(prompt) - 1)
    return next((at for at in range(most) if prefix[at] != prompt[at]), most)
