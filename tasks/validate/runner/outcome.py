"""What came out of one check: evidence, or why there is none; never both, never neither."""

from typing import Self

from pydantic import Field, model_validator

from tasks.records import CheckFailure, Evidence
from tasks.records.record import Record


class Outcome(Record):
    """One check's result, as it is kept and handed on."""

    check: str
    evidence: tuple[Evidence, ...] = ()
    failure: CheckFailure | None = None
    seconds: float = Field(ge=0, description="wall time of the run that measured")

    @model_validator(mode="after")
    def _either(self) -> Self:
        if bool(self.evidence) == (self.failure is not None):
            raise ValueError(f"{self.check}: needs evidence or a failure, and not both")
        return self
