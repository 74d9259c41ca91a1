"""Greedy answers for a batch of prompts: shared start computed once, rows that end leave the batch.

decoder = Decoder(loaded, template.messages, labels)
job = Job(decoder.encode("The actor encrypted the hosts."), most_tokens=16)
decoder.decode([job])

With `answers`, only those are possible, compared by the same numbers as validation compared them: the
states of right-padded rows behind a shared prefix. Where the rest of an answer follows, no pass is spent.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infra.errors import DataError
from infra.models.chat import Render, common_prefix_length, encode_answer, encode_chat
from infra.models.decoding import SharedPrefix, decode_rows, end_tokens
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
        self._ends = end_tokens(loaded)
        self._prefix = self._shared_prefix()

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
            decode_rows(self._prefix, rows, self._choose)

    def _choose(self, rows: "Sequence[_Row]", states: "Tensor") -> list[int]:
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

    def _shared_prefix(self) -> SharedPrefix:
        import torch

        ids = self.encode("a")[: common_prefix_length([self.encode("a"), self.encode("b c")])]
        with torch.inference_mode():
            return SharedPrefix(self._loaded.model, ids)


class _Row:
    """One job inside a batch."""

    def __init__(self, job: Job, tree: AnswerTree, tokenizer: Any, ends: frozenset[int]) -> None:
        self.job, self.prompt, self.tree, self.done, self.last = job, job.prompt, tree, False, -1
        self._tokenizer, self._ends, self._shown = tokenizer, ends, ""

    @property
    def ended(self) -> bool:
        """Whether the answer is whole or nobody waits for it."""
        return self.done or self.job.cancelled

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
