"""A prompt template by digest, and what its lint found."""

from typing import Literal

from pydantic import Field, JsonValue

from tasks.records.record import Digest, Record


class PromptVersion(Record):
    """One version of a prompt; `definition` is the canonical content that is published and served."""

    digest: Digest = Field(description="of the definition's canonical JSON")
    definition: dict[str, JsonValue]

    @property
    def name(self) -> str:
        """What the prompt is called."""
        return str(self.definition["name"])

    @property
    def labels(self) -> tuple[str, ...]:
        """The answers that it allows, in order."""
        labels = self.definition["labels"]
        return tuple(map(str, labels)) if isinstance(labels, list) else ()


class LintFinding(Record):
    """One thing that is wrong, or could be better, in a prompt file."""

    rule: str = Field(description="stable name of the rule")
    severity: Literal["error", "warning"]
    file: str
    line: int = Field(ge=1)
    message: str = Field(description="what was found; never repeats what may be a secret")
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.severity}: {self.message} [{self.rule}]"


class PromptScore(Record):
    """How one contender did on the validation split."""

    name: str
    prompt: Digest
    examples: int = Field(ge=0)
    accuracy: float = Field(ge=0, le=1)
    lower: float = Field(ge=0, le=1, description="Wilson interval at the comparison's confidence")
    upper: float = Field(ge=0, le=1)
    prompt_tokens: int | None = Field(None, ge=1, description="tokens of the prompt without a text")


class PromptPair(Record):
    """Two contenders on the same rows."""

    first: str
    second: str
    difference: float = Field(description="accuracy of the first minus the second, -1 to 1")
    lower: float
    upper: float
    confidence: float = Field(gt=0, lt=1, description="of the interval, at this pair's step of Holm's method")
    p: float = Field(ge=0, le=1, description="exact McNemar test, two-sided")
    p_holm: float = Field(ge=0, le=1, description="p after Holm's correction over all pairs")
    separated: bool = Field(description="p_holm is below alpha and the interval excludes 0")


class PromptComparison(Record):
    """Prompts on the same validation rows; the test split is never looked at for choosing."""

    split: Literal["validation"]
    rows: Digest = Field(description="content digest of the split")
    n: int = Field(ge=1)
    base: Digest
    adapter: Digest | None = None
    alpha: float = Field(gt=0, lt=1, description="family-wise error rate over all pairs")
    scores: tuple[PromptScore, ...] = Field(min_length=2, description="as they were given")
    pairs: tuple[PromptPair, ...] = Field(min_length=1)
    winner: str | None = Field(None, description="better than every other, or None")
    reason: str
