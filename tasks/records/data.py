"""What develop hands on about data and prompts."""

from typing import Literal

from pydantic import Field

from tasks.records.record import Digest, Record

SplitName = Literal["train", "validation", "test"]


class Row(Record):
    """One labelled text; rows of one group are never in two splits."""

    text: str = Field(min_length=1)
    label: str = Field(min_length=1)
    group: str = Field(min_length=1)


class QualityReport(Record):
    """What Great Expectations and our own guards found; holds counts, never cell values."""

    passed: bool
    expectations: int = Field(ge=0, description="expectations that were really evaluated")
    failed: tuple[str, ...] = Field(description="one line each: what was expected, what was found")
    rows: dict[SplitName, int]


class DatasetVersion(Record):
    """A prepared data set: three Parquet splits in the store, identified by their content."""

    name: str
    digest: Digest = Field(description="over the digests of the splits, labels and source")
    splits: dict[SplitName, Digest] = Field(description="store digest of each split's Parquet bytes")
    content: dict[SplitName, Digest] = Field(description="content digest of each split's columns")
    rows: dict[SplitName, int]
    labels: tuple[str, ...]
    source: str
    licence: str
    notice: str = Field(description="what the licence asks us to say")
    dropped: dict[str, int] = Field(description="rows left out, by reason")
    quality: QualityReport


class PromptVersion(Record):
    """A prompt template by digest; `definition` is the canonical content that is served."""

    name: str
    digest: Digest
    system: str
    user: str = Field(description="template of the user message; {{text}} is replaced in one pass")
    labels: tuple[str, ...]

    @property
    def definition(self) -> dict[str, object]:
        """The content that is published, packaged and served, as JSON values."""
        return {"name": self.name, "system": self.system, "user": self.user, "labels": list(self.labels)}
