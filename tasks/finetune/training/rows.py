"""Labelled texts as token ids: a prefix that all rows share, and what differs.

rows = encode_rows(tokenizer, prompt.messages, examples, max_tokens=200)
"""

from collections.abc import Sequence
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
    """A training set in tokens."""

    prefix: tuple[int, ...]
    rows: tuple[EncodedRow, ...]

    @property
    def lengths(self) -> list[int]:
        """Input tokens per row."""
        return [len(row.inputs) for row in self.rows]


def encode_rows(
    tokenizer: "PreTrainedTokenizerBase", render: Render, examples: Sequence[TrainingExample], max_tokens: int
) -> EncodedRows:
    """Raises DataError when there are no examples or the prompt does not fit in `max_tokens`."""
    if not examples:
        raise DataError("no training rows", "check the data set's train split")
    answers = {label: encode_answer(tokenizer, label) for label in {example.label for example in examples}}
    prompts = [
        encode_within(tokenizer, render, example.text, max_tokens - len(answers[example.label]))
        for example in examples
    ]
    shared = common_prefix_length(prompts)
    rows = []
    for prompt, example in zip(prompts, examples, strict=True):
        answer = answers[example.label]
        rows.append(EncodedRow(tuple(prompt[shared:] + answer[:-1]), tuple(answer)))
    return EncodedRows(tuple(prompts[0][:shared]), tuple(rows))
