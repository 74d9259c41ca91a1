"""Settings of the data: where rows come from, how they are prepared and divided."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from infra.config.section import Endpoint, Section

ObjectUri = Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+$")]
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


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
    object: ObjectUri | None = Field(
        None, description="s3://bucket/key instead of a path; credentials from the environment"
    )
    object_endpoint: Endpoint | None = Field(
        None, description="URL of an S3-compatible service; none: Amazon's"
    )
    max_object_bytes: int = Field(2 << 30, ge=1, description="larger objects are refused, in bytes")
    max_line_bytes: int = Field(1 << 20, ge=1, description="longer lines of a file are refused, in bytes")
    text_column: str = "text"
    label_column: str = "label"
    group_column: str | None = Field(None, description="rows of one group stay in one split; none: by text")
    id_column: str | None = Field(None, description="two rows with the same value are refused")
    split_column: str | None = Field(
        None, description="published split of a row (train, validation, test), kept; none: divided by us"
    )
    licence_column: str | None = Field(None, description="licence of a row; none: `licence` for all")
    source_column: str | None = Field(None, description="where a row comes from; none: the data set's source")
    labels: tuple[str, ...] = Field((), description="allowed labels; empty: those that occur")
    licence: str = Field(description="licence of the rows (SPDX or a name), carried into every release")
    allowed_licences: tuple[str, ...] = Field((), description="rows under others are left out; empty: all")
    min_rows: int = Field(100, ge=1, description="fewer prepared training rows than this stop the pipeline")
    max_characters: int = Field(2000, ge=1, description="longer texts are dropped as malformed")
    pii_action: Literal["redact", "drop", "flag"] = Field(
        "redact", description="personal data become placeholders, or their rows go, or are only counted"
    )
    pii_engine: Literal["patterns", "presidio"] = Field(
        "patterns", description="presidio also finds names and places, needs the extra of that name"
    )
    pii_model: str = Field(
        "en_core_web_lg",
        pattern=r"^[a-z][a-z0-9_]*$",
        description="installed spaCy package that finds names for presidio; nothing is downloaded",
    )
    near_duplicate_similarity: float | None = Field(
        0.6, ge=0.3, le=1, description="Jaccard of word 3-grams from which a row goes (0 to 1); none: off"
    )
    languages: tuple[LanguageCode, ...] = Field(
        (), description="ISO 639 codes of the languages that stay; empty: all"
    )
    language_confidence: float = Field(
        0.95, ge=0.5, le=1, description="probability (0 to 1) of no such language from which a row goes"
    )
    contamination_words: int = Field(
        8, ge=3, le=50, description="words in a row that a training row may not share with an evaluation row"
    )
    contamination_similarity: float = Field(
        0.6, ge=0.3, le=1, description="Jaccard of word 3-grams with an evaluation row (0 to 1)"
    )
    split: SplitSettings = SplitSettings()

    @model_validator(mode="after")
    def _place_fits_source(self) -> Self:
        if self.source in ("attack-stix", "cwe"):
            if self.path is not None or self.object is not None:
                key = "path" if self.path is not None else "object"
                raise ValueError(f"data.{key}: source {self.source!r} reads an installed package, remove it")
        elif self.path is not None and self.object is not None:
            raise ValueError("data.object: there is a data.path too, keep one of them")
        elif self.source == "hf" and self.object is not None:
            raise ValueError("data.object: source 'hf' is a directory, use jsonl, csv or parquet")
        elif self.path is None and self.object is None:
            raise ValueError(f"data.path: source {self.source!r} needs a path, or data.object")
        return self
