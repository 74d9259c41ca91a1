"""Which label a chat model answers, by likelihood: the shared start of all prompts is computed once.

scorer = LabelScorer(loaded, prompt.messages, labels)
scores = scorer.score(["Emotet sends mail."])        # scores[0].label, scores[0].log_probs
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from infra.errors import DataError
from infra.models.chat import Render, common_prefix_length, encode_answer, encode_within
from infra.models.decoding import SharedPrefix, right_padded
from infra.models.load import LoadedModel


@dataclass(frozen=True)
class LabelScore:
    """The answer to one text, among the allowed labels."""

    label: str
    log_probs: tuple[float, ...]
    """Natural log of each label's share, in the order of the scorer's labels; they sum to 1."""

    @property
    def confidence(self) -> float:
        """Share of the chosen label, 0 to 1."""
        return math.exp(max(self.log_probs))


class LabelScorer:
    """Scores texts against a closed set of labels.

    Labels that differ in their first token need one pass a text (the share of that token among them);
    others are compared by the likelihood of the whole answer, its end included.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        render: Render,
        labels: Sequence[str],
        *,
        batch_tokens: int = 2048,
        max_tokens: int = 1024,
    ) -> None:
        if len(set(labels)) != len(labels) or not labels:
            raise DataError(
                f"got {len(labels)} labels, expected at least one and no doubles", "check the labels"
            )
        self.loaded, self.render, self.labels = loaded, render, tuple(labels)
        self.batch_tokens, self.max_tokens = batch_tokens, max_tokens
        self.answers = [encode_answer(loaded.tokenizer, label) for label in labels]
        self.first_token_decides = len({answer[0] for answer in self.answers}) == len(labels)

    def score(
        self, texts: Sequence[str], on_progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> list[LabelScore]:
        """One score per text, in order. `on_progress(done, total)` counts texts.

        Raises DataError when the prompt alone exceeds `max_tokens`; a longer text is cut.
        """
        import torch

        if not texts:
            return []
        limit = self.max_tokens - max(map(len, self.answers))
        prompts = [encode_within(self.loaded.tokenizer, self.render, text, limit) for text in texts]
        shared = common_prefix_length(prompts)
        scores: dict[int, LabelScore] = {}
        with torch.inference_mode():
            prefix = SharedPrefix(self.loaded.model, prompts[0][:shared])
            for indices in length_batches([len(prompt) - shared for prompt in prompts], self._rows_per_batch):
                suffixes = [prompts[index][shared:] for index in indices]
                rows = (
                    self._first_tokens(prefix, suffixes)
                    if self.first_token_decides
                    else self._answers(prefix, suffixes)
                )
                for index, log_probs in zip(indices, rows, strict=True):
                    best = max(range(len(log_probs)), key=log_probs.__getitem__)
                    scores[index] = LabelScore(self.labels[best], log_probs)
                on_progress(len(scores), len(texts))
        return [scores[index] for index in range(len(texts))]

    def _rows_per_batch(self, width: int) -> int:
        copies = 1 if self.first_token_decides else len(self.labels)
        return max(1, self.batch_tokens // (width * copies))

    def _first_tokens(
        self, prefix: SharedPrefix, suffixes: Sequence[Sequence[int]]
    ) -> list[tuple[float, ...]]:
        import torch

        hidden, _ = prefix.continued(right_padded(suffixes))
        last = torch.tensor([len(suffix) - 1 for suffix in suffixes])
        head = self.loaded.model.lm_head.weight[torch.tensor([answer[0] for answer in self.answers])]
        logits = hidden[torch.arange(len(suffixes)), last] @ head.t()
        return [tuple(row) for row in torch.log_softmax(logits.double(), -1).tolist()]

    def _answers(self, prefix: SharedPrefix, suffixes: Sequence[Sequence[int]]) -> list[tuple[float, ...]]:
        import torch

        rows = [[*suffix, *answer[:-1]] for suffix in suffixes for answer in self.answers]
        hidden, _ = prefix.continued(right_padded(rows))
        totals = []
        for at, row in enumerate(rows):
            answer = self.answers[at % len(self.labels)]
            states = hidden[at, len(row) - len(answer) : len(row)]
            log_probs = torch.log_softmax(self.loaded.model.lm_head(states).double(), -1)
            totals.append(log_probs[torch.arange(len(answer)), torch.tensor(answer)].sum())
        by_text = torch.stack(totals).view(len(suffixes), -1)
        return [tuple(row) for row in torch.log_softmax(by_text, -1).tolist()]


def length_batches(lengths: Sequence[int], rows_per_batch: Callable[[int], int]) -> Iterator[list[int]]:
    """Indices from long to short; `rows_per_batch(width)` says how many rows of a width fit together."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    start = 0
    while start < len(order):
        size = rows_per_batch(lengths[order[start]])
        yield order[start : start + size]
        start += size
