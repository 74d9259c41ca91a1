"""Candidate bases: what was checked, what was measured, which one was chosen and why."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.records.record import Digest, Record

BaseVerdict = Literal["accepted", "refused", "not installed", "not pinned", "unavailable"]


class BaseCheck(Record):
    """One candidate under the policy for licences and files; only an accepted one may be loaded."""

    name: str
    source: str
    licence: str
    verdict: BaseVerdict
    reasons: tuple[str, ...] = Field(min_length=1)
    digest: Digest | None = Field(None, description="file tree in the store, when accepted")
    parameters: int | None = Field(None, ge=1)
    bytes: int | None = Field(None, ge=1, description="size of the files on disk")

    @model_validator(mode="after")
    def _accepted_is_complete(self) -> Self:
        if self.verdict == "accepted" and None in (self.digest, self.parameters, self.bytes):
            raise ValueError(f"{self.name}: accepted without digest, parameters or size")
        return self


class ShotScore(Record):
    """Accuracy with so many examples in the prompt."""

    shots: int = Field(ge=0)
    prompt: Digest
    correct: int = Field(ge=0)
    rows: int = Field(ge=1)
    accuracy: float = Field(ge=0, le=1)
    lower: float = Field(description="Wilson, 95 %")
    upper: float
    rows_per_cpu_s: float = Field(gt=0)


class BaseScore(Record):
    """What one candidate showed on the validation rows."""

    zero_shot: ShotScore
    few_shot: ShotScore | None = None
    latency_p50_ms: float = Field(gt=0, description="one text, zero-shot, its prompt computed too")
    latency_p95_ms: float = Field(gt=0)
    timed_texts: int = Field(ge=1)
    peak_memory_bytes: int = Field(ge=0, description="above what the process held before the model")

    @property
    def best_lower(self) -> float:
        """The better of the lower bounds."""
        return max(self.zero_shot.lower, self.few_shot.lower if self.few_shot else 0.0)


class ComparedBase(Record):
    """One row of the table."""

    check: BaseCheck
    score: BaseScore | None = Field(None, description="None: not accepted, or it could not be scored")


class BaseComparison(Record):
    """Every candidate that was configured, refused ones too, and the choice."""

    rows: tuple[ComparedBase, ...]
    rule: str = Field(description="how the choice is made")
    chosen: str
    reason: str = Field(description="why this one, in one sentence")
    scored_on: str = Field(description="which rows, how many")

    @model_validator(mode="after")
    def _chosen_is_accepted(self) -> Self:
        accepted = {row.check.name for row in self.rows if row.check.verdict == "accepted" and row.score}
        if self.chosen not in accepted:
            raise ValueError(f"{self.chosen} was chosen, but not accepted and scored")
        return self

    def row(self, name: str) -> ComparedBase:
        """A candidate's row; raises KeyError."""
        return {row.check.name: row for row in self.rows}[name]
