"""Curated examples and what they bring."""

from pydantic import Field

from tasks.records.record import Digest, Record


class ShownExample(Record):
    """A training row that may be shown in the prompt."""

    text: str
    label: str


class ExampleSet(Record):
    """Examples in the order in which they are taken: any prefix is balanced over the labels."""

    digest: Digest = Field(description="of texts and labels, in order")
    examples: tuple[ShownExample, ...]
    labels: tuple[str, ...]
    considered: int = Field(ge=0, description="training rows looked at")
    eligible: int = Field(ge=0, description="training rows that passed every check")
    excluded: dict[str, int] = Field(description="training rows left out, by the first reason found")
    held_out: int = Field(ge=0, description="validation and test rows that were searched for leaks")
    method: str
    embedding: Digest = Field(description="files of the embedding model")
    guard: Digest = Field(description="guard policy whose rules were applied")

    def first(self, count: int) -> tuple[ShownExample, ...]:
        """The best `count` examples, or all when there are fewer."""
        return self.examples[:count]


class AblationRow(Record):
    """The base with one set of examples, on the same validation rows as with none."""

    name: str
    examples: int = Field(ge=0)
    prompt: Digest = Field(description="the prompt with these examples")
    prompt_tokens: int = Field(ge=1, description="tokens that every request shares")
    correct: int = Field(ge=0)
    accuracy: float = Field(ge=0, le=1)
    lower: float
    upper: float
    gain: float = Field(description="accuracy above that without examples, on the same rows")
    gain_lower: float
    gain_upper: float
    p_value: float = Field(ge=0, le=1, description="exact McNemar test against no examples")
    rows_per_cpu_s: float = Field(gt=0)


class ExampleAblation(Record):
    """What each set of examples brings to one base."""

    base: Digest
    examples: Digest
    rows: int = Field(ge=1, description="validation rows scored")
    confidence: float = Field(gt=0, lt=1)
    table: tuple[AblationRow, ...]
    finding: str = Field(description="one sentence: the smallest set whose gain is proven, or none")
