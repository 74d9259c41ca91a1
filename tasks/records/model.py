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


class SecurityRequirements(Record):
    """The controls that the threat model demands, pinned by digest."""

    digest: Digest
    controls: tuple[str, ...] = Field(description="keys of required controls")
    gates: tuple[str, ...] = Field(description="gate rules that the controls demand")


class TrainedAdapter(Record):
    """A LoRA adapter and what it was made from."""

    digest: Digest = Field(description="digest of the adapter's file tree in the store")
    base: Digest
    dataset: Digest
    prompt: Digest
    settings: Digest = Field(description="digest of the training settings")
    code: Digest = Field(description="digest of the training code")
    steps: int = Field(ge=1)
    rows_seen: int = Field(ge=1)
    final_loss: float
    losses: tuple[float, ...] = Field((), description="training loss of every optimizer step")
    seconds: float = Field(ge=0, description="wall time of training")
    resumed_from_step: int = Field(0, ge=0)
    run_id: str = Field(description="MLflow run with the loss curve")
