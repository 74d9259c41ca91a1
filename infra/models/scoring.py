"""Which label a chat model answers, by likelihood: the shared start of all prompts is computed once.

scorer = LabelScorer(loaded, prompt.messages, labels)
scores = scorer.score(["Emotet sends mail."])        # scores[0].label, scores[0].log_probs
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from infra.errors import DataError
from infra.models.chat import Render, encode_answer, encode_within
from infra.models.likelihood import BATCH_TOKENS, likelihoods, log_shares, next_token_scores
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


Method = Literal["auto", "first_token", "full_label"]


class LabelScorer:
    """Scores texts against a closed set of labels.

    `first_token`: the share of each label's first token among them; refused unless all differ in it.
    `full_label`: the likelihood of the whole answer, its end included. `auto`: the first where it can.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        render: Render,
        labels: Sequence[str],
        *,
        method: Method = "auto",
        batch_tokens: int = BATCH_TOKENS,
        max_tokens: int = 1024,
    ) -> None:
        """Raises DataError for no labels, doubles, and labels that `first_token` cannot tell apart."""
        if len(set(labels)) != len(labels) or not labels:
            raise DataError(
                f"got {len(labels)} labels, expected at least one and no doubles", "check the labels"
            )
        self.loaded, self.render, self.labels = loaded, render, tuple(labels)
        self.batch_tokens, self.max_tokens = batch_tokens, max_tokens
        self.answers = [encode_answer(loaded.tokenizer, label) for label in labels]
        clash = first_token_clash(self.labels, self.answers)
        if method == "first_token" and clash is not None:
            raise DataError(
                f"labels {clash[0]!r} and {clash[1]!r} begin with the same token",
                "score them by full_label: their first tokens do not tell them apart",
            )
        self.first_token_decides = clash is None and method != "full_label"

    def score(
        self, texts: Sequence[str], on_progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> list[LabelScore]:
        """One score per text, in order. `on_progress(done, total)` counts texts.

        Raises DataError when the prompt alone exceeds `max_tokens` (a longer text is cut), or when what
        the model computes is not finite.
        """
        limit = self.max_tokens - max(map(len, self.answers))
        prompts = [encode_within(self.loaded.tokenizer, self.render, text, limit) for text in texts]
        if self.first_token_decides:
            first = [answer[0] for answer in self.answers]
            rows = next_token_scores(
                self.loaded, prompts, first, batch_tokens=self.batch_tokens, on_progress=on_progress
            )
        else:
            rows = likelihoods(
                self.loaded,
                prompts,
                [self.answers] * len(prompts),
                batch_tokens=self.batch_tokens,
                on_progress=on_progress,
            )
        return [self._chosen(row) for row in rows]

    def _chosen(self, row: Sequence[float]) -> LabelScore:
        log_probs = log_shares(row)
        best = max(range(len(log_probs)), key=log_probs.__getitem__)
        return LabelScore(self.labels[best], log_probs)


def first_token_clash(labels: Sequence[str], answers: Sequence[Sequence[int]]) -> tuple[str, str] | None:
    """Two labels whose token ids begin alike, or None when the first token tells all apart."""
    seen: dict[int, str] = {}
    for label, answer in zip(labels, answers, strict=True):
        if answer[0] in seen:
            return seen[answer[0]], label
        seen[answer[0]] = label
    return None
