"""What changed when only a name, a gender, a nationality or a way of speaking was changed."""

from typing import Literal

from pydantic import Field

from tasks.records.record import Record


class GroupOutcome(Record):
    """One group, in comparison with its counterparts."""

    dimension: str = Field(min_length=1, description="gender, nationality, language variety, …")
    group: str = Field(min_length=1)
    n: int = Field(ge=1)
    value: float = Field(description="share or difference, see `kind`")
    lower: float
    upper: float
    kind: Literal["flip", "accuracy", "preference"]


class FairnessReport(Record):
    """All groups; lies in the store under the `details` of the fairness evidence."""

    seed: int
    groups: tuple[GroupOutcome, ...] = Field(min_length=1)
    band: float = Field(gt=0, description="differences within ± this count as equal")
    smallest_group: str
    corpora: dict[str, str] = Field({}, description="licence or origin by corpus that was read")
    skipped: tuple[str, ...] = ()
    seconds: float = Field(ge=0)
