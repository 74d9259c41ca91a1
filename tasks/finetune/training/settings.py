"""How an adapter is trained: every number with its unit, checked against the others up front.

TrainingSettings(epochs=3, batch_size=32)
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal, get_args, get_type_hints

from infra.digest import digest_json
from infra.errors import ConfigError

ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


# Why these defaults, measured on two Zen 4 cores (avx512_bf16, no AMX) with 1,634 rows × 3 epochs and 440
# test rows (95 % half-width 3.5 points); one seed a line, chosen by validation and time, never by test:
#   top 15 layers, batch 32, rate 2e-3   validation .841  test .825
#   top 20 layers, batch 32, rate 2e-3   validation .855  test .823   a third more work, no gain to be told
# Synthetic rows of 25 tokens, top 15 layers, machine otherwise idle, rows per second of wall time:
#   batch 16: 20 with one thread, 26 with two; batch 32: 22 and 33 (3 epochs at this rate: 150 s)
# bf16 matrix products run at 200 GFLOP/s a core, fp32 at 75: hence bf16 weights with fp32 masters.
@dataclass(frozen=True)
class TrainingSettings:
    """LoRA fine-tuning. Raises ConfigError when a value, or a combination, cannot work."""

    backend: Literal["fast", "hf"] = "fast"
    """Our loop on a CPU, or transformers' Trainer under torchrun."""
    epochs: int = 3
    """Passes over the training rows."""
    batch_size: int = 16
    """Rows per optimiser step, over all processes."""
    learning_rate: float = 1.5e-3
    """Peak of the schedule, reached by a linear warm-up."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate goes on after the warm-up."""
    warmup_ratio: float = 0.06
    """Share of all steps in which the learning rate rises."""
    final_ratio: float = 0.0
    """Share of the peak that is left at the last step."""
    lora_r: int = 16
    """Rank of each adapted matrix."""
    lora_alpha: int = 32
    """The adapter's product is scaled by lora_alpha / lora_r."""
    target_modules: tuple[str, ...] = ALL_LINEAR
    """Names of the linear modules that are adapted in each trained layer."""
    trained_layers: int | None = 15
    """Only the top layers are adapted; None: all. What lies below is computed once, not once an epoch."""
    clip_norm: float = 1.0
    """Gradients with a larger global norm are scaled down to it."""
    max_tokens: int = 200
    """Longest row in tokens, prompt and answer included; the text is cut, never the prompt."""
    checkpoint_every: int = 20
    """Optimiser steps between checkpoints."""
    seed: int = 0
    """Decides the initial adapter and the order of rows."""
    threads: int = 2
    """CPU threads. The adapter's digest is reproducible for the same number of threads."""
    validate_every: int | None = None
    """Optimiser steps between validations; None: after each epoch."""
    metric: Literal["accuracy", "loss"] = "accuracy"
    """Which validation is the best; the other one decides between equals."""
    patience: int | None = 2
    """Validations without a better one before training stops; None: never."""
    keep: Literal["best", "last"] = "last"
    """Which weights become the adapter; without validation rows always the last."""
    divergence_factor: float = 2.0
    """Smoothed loss, relative to its start, that counts as diverged."""
    divergence_steps: int = 20
    """Optimiser steps above it in a row."""
    processes: int = 1
    """Backend hf: processes, one for each GPU."""
    sharding: Literal["none", "fsdp2"] = "none"
    """Backend hf: whole copies of the model, or its parts spread over GPUs."""
    quantisation: Literal["none", "nf4"] = "none"
    """Backend hf: base weights in 4 bit (QLoRA)."""

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ONE:
            value = getattr(self, name)
            _require(
                value is None or (value >= 1 and math.isfinite(value)),
                f"{name} = {value}, expected at least 1",
            )
        for name, kind in get_type_hints(type(self)).items():
            if name in _CHOICES:
                value, known = getattr(self, name), get_args(kind)
                _require(value in known, f"{name} = {value!r}, expected one of {', '.join(known)}")
        _require(
            0 < self.learning_rate < 1, f"learning_rate = {self.learning_rate}, expected between 0 and 1"
        )
        _require(0 <= self.warmup_ratio < 1, f"warmup_ratio = {self.warmup_ratio}, expected 0 to below 1")
        _require(0 <= self.final_ratio <= 1, f"final_ratio = {self.final_ratio}, expected 0 to 1")
        _require(self.clip_norm > 0, f"clip_norm = {self.clip_norm}, expected more than 0")
        _require(
            self.divergence_factor > 1, f"divergence_factor = {self.divergence_factor}, expected above 1"
        )
        unknown = sorted(set(self.target_modules) - set(ALL_LINEAR))
        _require(not unknown, f"target_modules names {', '.join(unknown)}, known are {', '.join(ALL_LINEAR)}")
        _require(bool(self.target_modules), "target_modules is empty: nothing would be trained")
        self._check_backend()

    def _check_backend(self) -> None:
        if self.backend == "fast":
            for name, value in (("processes", 1), ("sharding", "none"), ("quantisation", "none")):
                got = getattr(self, name)
                _require(got == value, f"{name} = {got} needs backend hf, got backend fast")
        else:
            _require(self.final_ratio == 0, f"final_ratio = {self.final_ratio} needs backend fast")
        _require(
            self.batch_size % self.processes == 0,
            f"processes = {self.processes} do not share batch_size = {self.batch_size} evenly",
        )

    @property
    def scale(self) -> float:
        """The factor on the adapter's product."""
        return self.lora_alpha / self.lora_r

    @property
    def digest(self) -> str:
        """Identity of the settings."""
        return digest_json(asdict(self))


_AT_LEAST_ONE = (
    "epochs",
    "batch_size",
    "lora_r",
    "lora_alpha",
    "trained_layers",
    "max_tokens",
    "checkpoint_every",
    "threads",
    "validate_every",
    "patience",
    "divergence_steps",
    "processes",
)
_CHOICES = frozenset({"backend", "schedule", "metric", "keep", "sharding", "quantisation"})


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ConfigError(f"training: {message}", "change it under training: in the project's configuration")
