"""What develop and fine-tune hand on about models."""

from pydantic import Field

from tasks.records.record import Digest, Record


class BaseModelVersion(Record):
    """A chosen base model: a tree of safe files in the store."""

    name: str
    digest: Digest = Field(description="digest of the file tree")
    licence: str
    source: str
    parameters: int = Field(ge=1)
    bytes: int = Field(ge=1)
    reasons: tuple[str, ...] = Field(description="why this candidate, and why not the others")
