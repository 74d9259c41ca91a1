"""A person answers for one gate of one candidate until a day, where the evidence is not conclusive."""

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from tasks.records.record import Digest, Record


def _one_line(text: str) -> str:
    # It is printed in terminals and on pages: what cannot be printed could only mislead.
    if not text.isprintable() or text != text.strip():
        raise ValueError("expected one line of printable text without space around it")
    return text


Line = Annotated[str, AfterValidator(_one_line)]


class Waiver(Record):
    """What was waived, by whom, why and until when; counts only with a valid signature of its owner."""

    candidate: Digest = Field(description="the unit it is for, and no other")
    gate: Line = Field(min_length=1)
    owner: Line = Field(min_length=1, description="who answers for it")
    reason: Line = Field(min_length=3)
    expires: date = Field(description="last day on which it counts (UTC)")


class RefusedWaiver(Record):
    """A waiver that was there and did not count."""

    file: str = Field(min_length=1, description="name of its file")
    gate: str | None = Field(None, description="gate it is for, where it could be verified")
    owner: str | None = Field(None, description="who signed it, where it could be verified")
    reason: str = Field(min_length=1, description="why it does not count")
