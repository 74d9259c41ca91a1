"""Settings of the training loop."""

from pydantic import Field

from infra.config.section import Section


class TrainingSettings(Section):
    """LoRA fine-tuning; defaults measured for the incident-triage project."""

    epochs: int = Field(3, ge=1, le=100)
    batch_size: int = Field(32, ge=1, description="rows per optimizer step")
    learning_rate: float = Field(2e-3, gt=0, lt=1, description="peak of the schedule")
    warmup_ratio: float = Field(0.06, ge=0, lt=1, description="share of all steps")
    lora_r: int = Field(16, ge=1, le=512)
    lora_alpha: int = Field(32, ge=1)
    trained_layers: int | None = Field(
        15, ge=1, description="only the top layers are adapted; null: all of them"
    )
    clip_norm: float = Field(1.0, gt=0)
    seed: int = 0
    max_tokens: int = Field(200, ge=8, description="longest row in tokens; the text is cut, never the prompt")
    checkpoint_every: int = Field(20, ge=1, description="optimizer steps between checkpoints")
    threads: int = Field(2, ge=1, le=256, description="CPU threads")
