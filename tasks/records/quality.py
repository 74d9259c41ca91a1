"""What the data quality check found, in counts: enough to draw the report from, never a cell's text.

QualityReport(passed=False, expectations=12, failed=("train: got 0 rows, …",), rows={"train": 0})
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from tasks.records.record import Record

SplitName = Literal["train", "validation", "test"]


SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
"""In the order in which people read them; JSON objects come back sorted by name."""


class ExpectationResult(Record):
    """One rule about one derived column, and how many rows met it."""

    rule: str = Field(description="the rule in words")
    column: str = Field(description="the derived column that it is about")
    passed: bool = Field(description="evaluated, and no row against it")
    blocking: bool = Field(True, description="whether one row against it stops the data")
    evaluated: int = Field(ge=0, description="rows that the rule was really evaluated on")
    unexpected: int = Field(ge=0, description="rows against it")
    error: str = Field("", description="class of the exception that stopped it; never its message")


class Histogram(Record):
    """Counts in bins: bin `i` holds values from `edges[i]` up to, without, `edges[i + 1]`; the last, with."""

    edges: tuple[int, ...] = Field(min_length=2)
    counts: tuple[int, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.counts) != len(self.edges) - 1 or list(self.edges) != sorted(set(self.edges)):
            raise ValueError("a histogram needs rising edges and one count for each bin")
        return self


class Lengths(Record):
    """How long texts are, in characters or words."""

    unit: Literal["characters", "words"]
    median: int = Field(ge=0)
    p95: int = Field(ge=0)
    most: int = Field(ge=0)
    histogram: Histogram


class Profile(Record):
    """What one split is made of."""

    labels: dict[str, int] = Field(description="rows by allowed label")
    unknown_labels: int = Field(0, ge=0, description="rows whose label is absent or not allowed")
    groups: int = Field(0, ge=0, description="distinct groups")
    characters: Lengths
    words: Lengths


class Overlap(Record):
    """What evaluation rows share with training rows, counted apart from the preparation's own stage."""

    run_words: int = Field(ge=2, description="words of the runs that were compared")
    evaluation_rows: int = Field(ge=0)
    whole_rows: int = Field(ge=0, description="evaluation rows whose whole text is a training text")
    contaminated: int = Field(ge=0, description="those, and rows with words or a run of words of training")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if not self.whole_rows <= self.contaminated <= self.evaluation_rows:
            raise ValueError("overlap: counts contradict one another")
        return self


class QualityReport(Record):
    """What Great Expectations and our own guards found; holds counts, never cell values."""

    passed: bool
    expectations: int = Field(ge=0, description="expectations that were really evaluated")
    failed: tuple[str, ...] = Field(description="one line each: what was expected, what was found")
    rows: dict[SplitName, int]
    expected: int = Field(0, ge=0, description="expectations of the suite")
    results: tuple[ExpectationResult, ...] = ()
    violating_rows: int = Field(0, ge=0, description="rows against at least one expectation")
    profiles: dict[SplitName, Profile] = Field({}, description="what each split is made of")
    label_characters: dict[str, Lengths] = Field({}, description="length of texts by label, all splits")
    licences: dict[str, int] = Field({}, description="rows by licence, all splits")
    sources: dict[str, int] = Field({}, description="rows by source, all splits")
    overlap: Overlap | None = None

    @property
    def split_profiles(self) -> dict[SplitName, Profile]:
        """Profiles in the order of `SPLITS`."""
        return {name: self.profiles[name] for name in SPLITS if name in self.profiles}
