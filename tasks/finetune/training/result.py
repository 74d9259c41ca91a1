"""What a run tells while it goes on, and when it is done."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tasks.finetune.training.stopping import Evaluation


@dataclass(frozen=True)
class StepMetrics:
    """One optimiser step, for logs and progress bars."""

    step: int
    total_steps: int
    epoch: int
    loss: float
    learning_rate: float
    grad_norm: float
    rows_per_s: float


@dataclass(frozen=True)
class TrainingResult:
    """A finished run."""

    adapter_dir: Path
    adapter_digest: str
    steps: int
    """Steps done; fewer than planned when validation ended the run."""
    losses: tuple[float, ...]
    rows_seen: int
    seconds: float
    """Wall time over all attempts."""
    rows_per_s: float
    resumed_from_step: int
    engine: Literal["flat", "reference", "hf"] = "flat"
    fallback: str = ""
    """Why the flat engine was not used; empty when it was, or was not asked for."""
    validations: tuple[Evaluation, ...] = ()
    best_step: int | None = None
    """Step whose weights the adapter has; None: the last one's."""
    stopped_early: bool = False
