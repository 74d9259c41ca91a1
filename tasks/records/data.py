"""What develop hands on about data.

dataset.stages[3].dropped        # {"duplicate": 12}
"""

from typing import Self

from pydantic import Field, JsonValue, model_validator

from tasks.records.quality import QualityReport, SplitName
from tasks.records.record import Digest, Record


class Row(Record):
    """One labelled text; rows of one group are never in two splits."""

    text: str = Field(min_length=1)
    label: str = Field(min_length=1)
    group: str = Field(min_length=1)
    licence: str = Field("", description="licence of this row (SPDX or a name)")
    source: str = Field("", description="where this row comes from")


class SourceInfo(Record):
    """Where rows come from."""

    source: str = Field(description="without machine paths")
    bytes: Digest = Field(description="digest of what was read: a file, files, an object, or a package")
    notice: str = Field(description="what the licence asks us to say; empty when the source carries none")
    labels: tuple[str, ...] = Field(description="allowed labels, in the order in which prompts list them")


class StageReport(Record):
    """What one stage of the preparation did; every row that went in came out or is counted as dropped."""

    name: str
    key: Digest = Field(description="over the stage's input, settings and code")
    settings: dict[str, JsonValue]
    table: Digest = Field(description="store digest of the rows that came out, as Parquet")
    rows_in: int = Field(ge=0)
    rows_out: int = Field(ge=0)
    dropped: dict[str, int] = Field({}, description="rows left out, by reason")
    changed: dict[str, int] = Field(
        {}, description="rows altered or marked, by reason; a row may have several"
    )
    seconds: float = Field(ge=0, description="wall time of the run that did the work; in no digest")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.rows_in != self.rows_out + sum(self.dropped.values()):
            raise ValueError(
                f"stage {self.name}: {self.rows_in} rows in, but {self.rows_out} out"
                f" and {sum(self.dropped.values())} dropped"
            )
        return self


class DatasetVersion(Record):
    """A prepared data set: three Parquet splits in the store, identified by their content."""

    name: str
    digest: Digest = Field(description="over the digests of the splits, labels and source")
    splits: dict[SplitName, Digest] = Field(description="store digest of each split's Parquet bytes")
    content: dict[SplitName, Digest] = Field(description="content digest of each split's columns")
    rows: dict[SplitName, int]
    labels: tuple[str, ...]
    source: str
    source_bytes: Digest | None = Field(None, description="digest of the file, object or package read")
    licence: str
    notice: str = Field(description="what the licence asks us to say")
    dropped: dict[str, int] = Field(description="rows left out, by reason")
    stages: tuple[StageReport, ...] = Field((), description="what each stage of the preparation did")
    quality: QualityReport
