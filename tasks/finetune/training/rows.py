"""Labelled texts as token ids: a prefix that all rows share, and what differs, epoch by epoch.

rows = encode_rows(tokenizer, prompt.messages, examples, max_tokens=200)
rows = encode_epochs(tokenizer, prompt.messages, [first_epoch, second_epoch], max_tokens=200)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import DataError
from infra.models.chat import Render, common_prefix_length, encode_answer, encode_within

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class TrainingExample:
    """One text and the answer that is to be learnt."""

    text: str
    label: str


@dataclass(frozen=True)
class EncodedRow:
    """Input ids after the shared prefix, and the ids that its last positions must predict."""

    inputs: tuple[int, ...]
    targets: tuple[int, ...]


@dataclass(frozen=True)
class EncodedRows:
    """A training set in tokens; the prefix is the same in every epoch."""

    prefix: tuple[int, ...]
    rows: tuple[EncodedRow, ...]
    """The distinct rows of all epochs, in order of appearance."""
    epochs: tuple[tuple[int, ...], ...]
    """For each epoch the indices of its rows; an epoch past the last one has the rows of the last."""

    def epoch(self, number: int) -> tuple[int, ...]:
        """Indices of the rows of epoch `number` (from 1)."""
        return self.epochs[min(number, len(self.epochs)) - 1]

    @property
    def lengths(self) -> list[int]:
        """Input tokens per distinct row."""
        return [len(row.inputs) for row in self.rows]


# Epoch number from 1 → the rows of that epoch.
EpochExamples = Callable[[int], Sequence[TrainingExample]]


def encode_rows(
    tokenizer: "PreTrainedTokenizerBase", render: Render, examples: Sequence[TrainingExample], max_tokens: int
) -> EncodedRows:
    """The same rows in every epoch. Raises DataError as `encode_epochs` does."""
    return encode_epochs(tokenizer, render, [examples], max_tokens)


def encode_epochs(
    tokenizer: "PreTrainedTokenizerBase",
    render: Render,
    epochs: Sequence[Sequence[TrainingExample]],
    max_tokens: int,
) -> EncodedRows:
    """All epochs at once, equal examples once: a run's identity covers every row that it will see.

    Raises DataError when there are no examples, when an epoch has another length than the first, or
    when the prompt does not fit in `max_tokens`.
    """
    if not epochs or not epochs[0]:
        raise DataError("no training rows", "check the data set's train split")
    for number, examples in enumerate(epochs, 1):
        if len(examples) != len(epochs[0]):
            raise DataError(
                f"epoch {number} has {len(examples)} rows, the first has {len(epochs[0])}",
                "augment rows in place: the number of steps must not depend on the epoch",
            )
    # Only epochs that differ are told apart; without augmentation there is one.
    distinct = list(dict.fromkeys(example for examples in epochs for example in examples))
    answers = {label: encode_answer(tokenizer, label) for label in {example.label for example in distinct}}
    prompts = [
        encode_within(tokenizer, render, example.text, max_tokens - len(answers[example.label]))
        for example in distinct
    ]
    shared = common_prefix_length(prompts)
    rows: dict[EncodedRow, int] = {}
    index = {}
    for prompt, example in zip(prompts, distinct, strict=True):
        answer = answers[example.label]
        row = EncodedRow(tuple(prompt[shared:] + answer[:-1]), tuple(answer))
        index[example] = rows.setdefault(row, len(rows))
    return EncodedRows(
        tuple(prompts[0][:shared]),
        tuple(rows),
        tuple(tuple(index[example] for example in examples) for examples in epochs),
    )
