"""What a chat model answers to conversations: greedy, batched behind what all of them begin with.

generator = Generator(loaded, max_new_tokens=32)
generator.generate([[{"role": "user", "content": "Emotet sends mail."}]])     # ["impact"]
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from infra.errors import DataError
from infra.models.chat import common_prefix_length, encode_chat
from infra.models.decoding import SharedPrefix, decode_rows, end_tokens
from infra.models.likelihood import length_batches
from infra.models.load import LoadedModel

if TYPE_CHECKING:
    from torch import Tensor


class Generator:
    """Greedy answers of one loaded model; used by one thread at a time.

    `batch_tokens`: tokens that are computed together, prompts without their shared start and answers
    counted. In bf16 the batch decides rounding: equal calls give equal answers, others may differ where
    two tokens are as good as equally likely.
    """

    def __init__(self, loaded: LoadedModel, *, max_new_tokens: int, batch_tokens: int = 4096) -> None:
        if max_new_tokens < 1 or batch_tokens < 1:
            raise DataError(
                f"got max_new_tokens {max_new_tokens} and batch_tokens {batch_tokens}, expected at least 1"
            )
        self.loaded, self.max_new_tokens, self.batch_tokens = loaded, max_new_tokens, batch_tokens
        self._ends = end_tokens(loaded)

    def generate(
        self,
        conversations: Sequence[Sequence[Mapping[str, str]]],
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> list[str]:
        """One answer a conversation, in order, without its end token; `on_progress(done, total)`.

        What looks like a control token in a message is plain characters. Raises DataError when the chat
        template refuses a conversation or the model's context cannot hold one with its answer.
        """
        prompts = [encode_chat(self.loaded.tokenizer, conversation) for conversation in conversations]
        return self.continue_ids(prompts, on_progress)

    def continue_ids(
        self,
        prompts: Sequence[Sequence[int]],
        on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> list[str]:
        """What follows token ids, in order; raises DataError as `generate` does."""
        import torch

        self._check_lengths(prompts)
        if not prompts:
            return []
        shared = common_prefix_length(prompts)
        answers: dict[int, str] = {}
        with torch.inference_mode():
            prefix = SharedPrefix(self.loaded.model, prompts[0][:shared])
            for indices in length_batches([len(prompt) - shared for prompt in prompts], self._rows):
                rows = [_Answer(prompts[at], self.max_new_tokens, self._ends) for at in indices]
                decode_rows(prefix, rows, self._likeliest)
                answers |= {at: self._text(row.tokens) for at, row in zip(indices, rows, strict=True)}
                on_progress(len(answers), len(prompts))
        return [answers[at] for at in range(len(prompts))]

    def _check_lengths(self, prompts: Sequence[Sequence[int]]) -> None:
        context = getattr(self.loaded.model.config, "max_position_embeddings", None)
        for position, ids in enumerate(prompts):
            if not ids or (context is not None and len(ids) + self.max_new_tokens > context):
                raise DataError(
                    f"conversation {position} has {len(ids)} tokens, the model holds {context}"
                    f" with {self.max_new_tokens} of the answer",
                    "shorten the conversation or ask for a shorter answer",
                )

    def _rows(self, width: int) -> int:
        return max(1, self.batch_tokens // (width + self.max_new_tokens))

    def _likeliest(self, _rows: Sequence["_Answer"], states: "Tensor") -> list[int]:
        return [int(token) for token in self.loaded.model.lm_head(states).argmax(-1)]

    def _text(self, tokens: Sequence[int]) -> str:
        return str(
            self.loaded.tokenizer.decode(
                list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )


class _Answer:
    """One answer inside a batch."""

    def __init__(self, prompt: Sequence[int], most_tokens: int, ends: frozenset[int]) -> None:
        self.prompt, self.tokens, self.last, self.ended = prompt, list[int](), -1, False
        self._most_tokens, self._ends = most_tokens, ends

    def take(self, token: int) -> None:
        self.last = token
        if token not in self._ends:
            self.tokens.append(token)
        self.ended = token in self._ends or len(self.tokens) >= self._most_tokens
