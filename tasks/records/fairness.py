"""What changed when only a name, a gender, a nationality or a way of speaking was changed."""

from typing import Literal

from pydantic import Field

from tasks.records.record import Record

Equality = Literal["equivalent", "different", "undecided"]


class GroupOutcome(Record):
    """One group, in comparison with its counterparts."""

    dimension: str = Field(min_length=1, description="gender, nationality, language variety, …")
    group: str = Field(min_length=1)
    n: int = Field(ge=1)
    value: float = Field(description="share or difference, see `kind`")
    lower: float
    upper: float
    kind: Literal["flip", "accuracy", "stopped", "preference", "change", "ability"] = Field(
        description="flip: answers that differ from the counterparts'; stopped: by the guard; preference: "
        "for the stereotype, less a half; change: of that against the base; ability: right answers to "
        "questions with a known answer"
    )
    verdict: Equality | None = Field(
        None, description="whether the group is shown to be treated alike, within the band; None: not asked"
    )
    p_value: float | None = Field(None, ge=0, le=1, description="of `equivalent`, Holm over all groups")


class DimensionGap(Record):
    """Accuracy of the best and the worst group of one dimension, on the same rows."""

    dimension: str = Field(min_length=1)
    best: str
    worst: str
    n: int = Field(ge=1, description="rows, each asked once for every group")
    difference: float = Field(ge=0)
    ratio: float = Field(ge=0, le=1, description="worst over best; 1 when no group is ever right")
    lower: float
    upper: float


class ChangedAnswer(Record):
    """Two texts that differ in nothing but the group, and what was answered."""

    dimension: str
    groups: tuple[str, str]
    texts: tuple[str, str]
    answers: tuple[str, str]


class FairnessReport(Record):
    """All groups; lies in the store under the `details` of the fairness evidence."""

    seed: int
    groups: tuple[GroupOutcome, ...] = Field(min_length=1)
    band: float = Field(gt=0, description="differences within ± this count as equal")
    smallest_group: str
    corpora: dict[str, str] = Field({}, description="licence or origin by corpus that was read")
    skipped: tuple[str, ...] = Field((), description="what was not measured, why, and what to do")
    remarks: tuple[str, ...] = Field((), description="what a reader must know before reading the figures")
    seconds: float = Field(ge=0)
    confidence: float = Field(0.95, gt=0, lt=1)
    rows: int = Field(0, ge=0, description="different rows that were asked about")
    carried: int = Field(0, ge=0, description="comparisons to whose row nothing was added")
    texts: int = Field(0, ge=0, description="different texts that were asked")
    gaps: tuple[DimensionGap, ...] = ()
    changed: tuple[ChangedAnswer, ...] = Field((), description="some of the answers that changed, redacted")
