"""Greedy answers for a batch of prompts: shared start computed once, rows that end leave the batch.

decoder = Decoder(loaded, template.messages, labels)
job = Job(decoder.encode("The actor encrypted the hosts."), most_tokens=16)
decoder.decode([job])

With `answers`, only those are possible, compared by the same numbers as validation compared them: the
states of right-padded rows behind a shared prefix. Where the rest of an answer follows, no pass is spent.
"""

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infra.errors import DataError
from infra.models.chat import Render, common_prefix_length, encode_answer, encode_chat
from infra.models.load import LoadedModel
from infra.serving.answers import AnswerTree
from infra.serving.job import Job, Piece

if TYPE_CHECKING:
    from torch import Tensor


class Decoder:
    """One release's model with its prompt; used by one thread at a time."""

    def __init__(
        self,
        loaded: LoadedModel,
        render: Render,
        answers: Sequence[str] = (),
        *,
        most_tokens: int | None = None,
    ) -> None:
        """`most_tokens`: the release's own limit of an answer, None for none.

        Raises DataError when the chat template does not fit the prompt, or an answer the limit.
        """
        self.most_tokens = most_tokens
        self._loaded, self._render = loaded, render
        self._tokenizer = loaded.tokenizer
        encoded = [encode_answer(loaded.tokenizer, answer) for answer in answers]
        if most_tokens is not None and (longest := max(map(len, encoded), default=0)) > most_tokens:
            raise DataError(
                f"an answer has {longest} tokens, the release's prompt allows {most_tokens}",
                hint="raise settings.max_new_tokens of the prompt: a cut answer is not what was measured",
            )
        self._tree = AnswerTree.of(encoded)
        end = encode_answer(loaded.tokenizer, "x")[-1]
        self._ends = {end, *_as_list(loaded.model.generation_config.eos_token_id)}
        self._prefix = self.encode("a")[: common_prefix_length([self.encode("a"), self.encode("b c")])]
        self._cache = self._prefix_cache()

    def encode(self, text: str) -> list[int]:
        """Token ids of the whole prompt; what looks like a control token in `text` is plain characters."""
        return encode_chat(self._tokenizer, self._render(text))

    def decode(self, jobs: Sequence[Job]) -> None:
        """Finish every job: pieces as they come, then one with a finish reason."""
        import torch

        rows = [_Row(job, self._tree, self._tokenizer, self._ends) for job in jobs if not job.cancelled]
        if not rows:
            return
        with torch.inference_mode():
            self._decode(rows)

    def _decode(self, rows: "list[_Row]") -> None:
        import torch

        start = self._shared(rows)
        suffixes = [list(row.job.prompt[start:]) for row in rows]
        lengths = torch.tensor([len(suffix) for suffix in suffixes])
        past = copy.deepcopy(self._cache)  # the model appends to the cache that it is given
        if start < len(self._prefix):
            past.crop(start)
        past.batch_repeat_interleave(len(rows))
        states = self._forward(_right_padded(suffixes), past)
        states = states[torch.arange(len(rows)), lengths - 1]
        # Padding stays in the cache as holes that no later token sees.
        width = max(map(len, suffixes))
        mask = torch.cat([torch.ones(len(rows), start), torch.arange(width) < lengths[:, None]], dim=1).long()
        position = lengths + start
        while True:
            for row, token in zip(rows, self._choose(rows, states), strict=True):
                row.take(token)
            kept = [index for index, row in enumerate(rows) if not row.done and not row.job.cancelled]
            if not kept:
                return
            if len(kept) < len(rows):
                rows, keep = [rows[index] for index in kept], torch.tensor(kept)
                past.batch_select_indices(keep)
                mask, position = mask[keep], position[keep]
            mask = torch.cat([mask, torch.ones(len(rows), 1, dtype=mask.dtype)], dim=1)
            last = torch.tensor([[row.last] for row in rows])
            states = self._forward(last, past, attention_mask=mask, position_ids=position[:, None])[:, -1]
            position = position + 1

    def _shared(self, rows: "list[_Row]") -> int:
        """Tokens of the prefix that all prompts have: where it meets the text, tokens may merge otherwise."""
        return min(_agreement(self._prefix, row.job.prompt) for row in rows)

    def _choose(self, rows: "list[_Row]", states: "Tensor") -> list[int]:
        """The likeliest allowed token of every row."""
        import torch

        head = self._loaded.model.lm_head
        if not self._tree.branches:
            return [int(token) for token in head(states).argmax(-1)]
        allowed = list(dict.fromkeys(token for row in rows for token in row.tree.next_tokens))
        logits = states @ head.weight[torch.tensor(allowed)].t()
        column = {token: at for at, token in enumerate(allowed)}
        chosen = []
        for row, scores in zip(rows, logits, strict=True):
            tokens = row.tree.next_tokens
            chosen.append(tokens[int(scores[[column[token] for token in tokens]].argmax())])
        return chosen

    def _forward(self, ids: "Tensor", past: Any, **more: Any) -> "Tensor":
        """Final states [rows, width, hidden] of tokens that continue `past`."""
        output = self._loaded.model.model(input_ids=ids, past_key_values=past, use_cache=True, **more)
        states: Tensor = output.last_hidden_state
        return states

    def _prefix_cache(self) -> Any:
        import torch
        from transformers.cache_utils import DynamicCache

        with torch.inference_mode():
            cache = DynamicCache()
            if self._prefix:
                self._forward(torch.tensor([self._prefix]), cache)
            return cache


class _Row:
    """One job inside a batch."""

    def __init__(self, job: Job, tree: AnswerTree, tokenizer: Any, ends: set[int]) -> None:
        self.job, self.tree, self.done, self.last = job, tree, False, -1
        self._tokenizer, self._ends, self._shown = tokenizer, ends, ""

    def take(self, token: int) -> None:
        """Add a token, and what must follow it."""
        tokens = [token]
        if self.tree.branches:
            self.tree = self.tree.branches[token]
            tokens += self.tree.only_way() or []
        for each in tokens:
            if self.done:
                return
            self._take(each)

    def _take(self, token: int) -> None:
        self.last = token
        if token in self._ends:
            self._show("stop")
            return
        self.job.tokens.append(token)
        self._show("length" if len(self.job.tokens) >= self.job.most_tokens else None)

    def _show(self, finish: Any) -> None:
        text = str(
            self._tokenizer.decode(
                self.job.tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )
        # A character of several tokens shows as U+FFFD until its last one has come.
        whole = text if finish else text.rstrip("\ufffd")
        added = whole[len(self._shown) :] if whole.startswith(self._shown) else ""
        self._shown += added
        self.done = finish is not None
        if added or finish:
            self.job.put(Piece(added, finish))


def _right_padded(rows: Sequence[Sequence[int]]) -> "Tensor":
    """Ids padded on the right: under a causal mask no real token sees the padding."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def _agreement(prefix: Sequence[int], prompt: Sequence[int]) -> int:
    """Tokens of `prefix` that `prompt` begins with, leaving at least one token of the prompt."""
    most = min(len(prefix), len(prompt) - 1)
    return next((at for at in range(most) if prefix[at] != prompt[at]), most)


def _as_list(value: int | list[int] | None) -> list[int]:
    return value if isinstance(value, list) else [] if value is None else [value]
