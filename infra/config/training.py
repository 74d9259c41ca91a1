"""Settings of the training loop."""

from typing import Literal

from pydantic import Field

from infra.config.section import Section


class TrainingSettings(Section):
    """LoRA fine-tuning; defaults measured for the incident-triage project."""

    backend: Literal["fast", "hf"] = Field(
        "fast", description="our loop on a CPU, or transformers' Trainer under torchrun"
    )
    epochs: int = Field(3, ge=1, le=100, description="passes over the training rows")
    batch_size: int = Field(16, ge=1, le=65_536, description="rows per optimizer step, over all processes")
    learning_rate: float = Field(1.5e-3, gt=0, lt=1, description="peak of the schedule")
    schedule: Literal["cosine", "linear", "constant"] = Field(
        "cosine", description="how the learning rate goes on after the warm-up"
    )
    warmup_ratio: float = Field(0.06, ge=0, lt=1, description="share of all steps in which the rate rises")
    final_ratio: float = Field(0.0, ge=0, le=1, description="share of the peak that the last step keeps")
    lora_r: int = Field(16, ge=1, le=512, description="rank of each adapted matrix")
    lora_alpha: int = Field(32, ge=1, le=65_536, description="the adapter is scaled by lora_alpha / lora_r")
    trained_layers: int | None = Field(
        15, ge=1, le=1024, description="only the top layers are adapted; null: all of them"
    )
    clip_norm: float = Field(1.0, gt=0, le=1e6, description="largest global norm of a gradient")
    seed: int = Field(0, ge=0, lt=2**32, description="decides the first adapter and the order of rows")
    max_tokens: int = Field(
        200, ge=8, le=131_072, description="longest row in tokens; the text is cut, never the prompt"
    )
    checkpoint_every: int = Field(20, ge=1, le=1_000_000, description="optimizer steps between checkpoints")
    threads: int = Field(2, ge=1, le=256, description="CPU threads of each process")
    validate_every: int | None = Field(
        None, ge=1, le=1_000_000, description="optimizer steps between validations; null: after each epoch"
    )
    metric: Literal["accuracy", "loss"] = Field(
        "accuracy", description="which validation is the best; the other one decides between equals"
    )
    patience: int | None = Field(
        2, ge=1, le=1000, description="validations without a better one before training stops; null: never"
    )
    # The best epoch on clean validation rows is not the most robust one: augmented training keeps the last.
    keep: Literal["best", "last"] = Field("last", description="which weights become the adapter")
    divergence_factor: float = Field(
        2.0, gt=1, le=1000, description="smoothed loss, relative to its start, that counts as diverged"
    )
    divergence_steps: int = Field(20, ge=1, le=100_000, description="optimizer steps above it in a row")
    processes: int = Field(1, ge=1, le=1024, description="backend hf: processes, one for each GPU")
    sharding: Literal["none", "fsdp2"] = Field(
        "none", description="backend hf: copies of the model, or its parts spread over GPUs"
    )
    quantisation: Literal["none", "nf4"] = Field(
        "none", description="backend hf: base weights in 4 bit on a GPU (QLoRA; needs bitsandbytes)"
    )
