"""What attacks achieved: counts by risk and technique with bounds, and the worst transcripts, redacted."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.records.record import Record

Against = Literal["unit", "model"]
"""The served unit (guard, prompt and model) or the model alone."""


class AttackCell(Record):
    """All attempts of one technique at one risk."""

    risk: str = Field(min_length=1, description="stable risk key")
    technique: str = Field(min_length=1)
    against: Against
    n: int = Field(ge=1, description="independent attempts; repetitions of a prompt count once")
    hits: int = Field(ge=0, description="attempts with positive evidence of success")
    blocked: int = Field(0, ge=0, description="attempts that the guard stopped")
    lower: float = Field(ge=0, le=1)
    upper: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.hits > self.n or self.blocked > self.n or not self.lower <= self.hits / self.n <= self.upper:
            raise ValueError(f"{self.risk} × {self.technique}: {self.hits} hits of {self.n}")
        return self


class Transcript(Record):
    """One attack that succeeded, or came closest; secrets and personal data are replaced before."""

    risk: str
    technique: str
    family: str
    against: Against
    detector: str
    attack: str
    reply: str


class RedTeamReport(Record):
    """One tier's outcome; lies in the store under the `details` of its evidence."""

    tier: Literal["native", "garak"]
    seed: int
    cells: tuple[AttackCell, ...] = Field(min_length=1)
    worst: tuple[Transcript, ...] = ()
    benign: int = Field(0, ge=0, description="harmless prompts that look alarming")
    refused: int = Field(0, ge=0, description="of these, stopped or refused")
    corpora: dict[str, str] = Field({}, description="licence or origin by corpus that was read")
    skipped: tuple[str, ...] = Field((), description="corpora that are not installed, with what brings them")
    seconds: float = Field(ge=0)
