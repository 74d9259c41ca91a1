"""A person answers for one gate of one candidate until a day, where the evidence is not conclusive."""

from datetime import date

from pydantic import Field

from tasks.records.record import Digest, Record


class Waiver(Record):
    """What was waived, by whom, why and until when; counts only with a valid signature of its owner."""

    candidate: Digest = Field(description="the unit it is for, and no other")
    gate: str = Field(min_length=1)
    owner: str = Field(min_length=1, description="who answers for it")
    reason: str = Field(min_length=3)
    expires: date = Field(description="last day on which it counts (UTC)")
