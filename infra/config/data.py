"""Settings of the data: where rows come from, how they are prepared and divided."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from infra.config.section import Section


class SplitSettings(Section):
    """How rows are divided; a group (for example a threat actor) is never in two splits."""

    test_per_label: int = Field(40, ge=1, description="rows of every label in the frozen test split")
    validation_per_label: int = Field(
        20, ge=1, description="most rows of every label in the validation split"
    )
    train_per_label: int = Field(160, ge=1, description="most rows of every label in the train split")
    seed: int = Field(0, description="seed of the split and of sampling")


class DataSettings(Section):
    """Where labelled text comes from and what it must fulfil."""

    source: Literal["attack-stix", "cwe", "jsonl", "csv", "parquet", "hf"]
    path: Path | None = Field(
        None, description="file or directory, relative to the project file; not for packages"
    )
    text_column: str = "text"
    label_column: str = "label"
    group_column: str | None = Field(None, description="rows of one group stay in one split; none: by text")
    labels: tuple[str, ...] = Field((), description="allowed labels; empty: those that occur")
    licence: str = Field(description="licence of the rows (SPDX or a name), carried into every release")
    min_rows: int = Field(100, ge=1, description="fewer prepared training rows than this stop the pipeline")
    max_characters: int = Field(2000, ge=1, description="longer texts are dropped as malformed")
    split: SplitSettings = SplitSettings()

    @model_validator(mode="after")
    def _path_fits_source(self) -> Self:
        packaged = self.source in ("attack-stix", "cwe")
        if packaged and self.path is not None:
            raise ValueError(f"data.path: source {self.source!r} reads an installed package, remove the path")
        if not packaged and self.path is None:
            raise ValueError(f"data.path: source {self.source!r} needs the path of your data")
        return self
