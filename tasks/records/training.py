"""What training hands on: the adapter by digest, what it was made from, and how the run went."""

from typing import Literal

from pydantic import Field

from tasks.records.record import Digest, Record


class ValidationScore(Record):
    """The validation rows scored after a step of training."""

    step: int = Field(ge=1)
    accuracy: float = Field(ge=0, le=1)
    loss: float = Field(ge=0, description="mean negative natural log of the right label's share")


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
    trained_by: str = Field("", description="account that started the training; empty: not known")
    environment: Digest | None = Field(
        None, description="environment attestation of the process that trained, in the store"
    )
    backend: Literal["fast", "hf"] = Field("fast", description="training.backend of the run")
    engine: Literal["flat", "reference", "hf"] = Field("flat", description="forward and backward pass used")
    fallback: str = Field(
        "", description="why the flat engine was not used; empty when it was or not asked for"
    )
    validations: tuple[ValidationScore, ...] = Field((), description="validation rows scored while training")
    best_step: int | None = Field(None, ge=1, description="step whose weights these are; None: the last")
    stopped_early: bool = Field(False, description="validation stopped improving before the last epoch")
