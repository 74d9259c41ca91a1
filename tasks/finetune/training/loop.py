"""The training loop: examples in, a peft adapter directory out, the same bits for the same inputs.

result = train(load_base(path), examples, prompt.messages, settings, checkpoint_dir=…, output_dir=…)
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

from infra.digest import digest_json
from infra.errors import TrainingError
from infra.models.chat import Render
from infra.models.load import LoadedModel
from tasks.finetune.training import checkpoint
from tasks.finetune.training.adapter import LoraAdapter
from tasks.finetune.training.batches import epoch_batches, steps_per_epoch
from tasks.finetune.training.decoder import Decoder
from tasks.finetune.training.export import export_adapter
from tasks.finetune.training.optimiser import Adam, learning_rate
from tasks.finetune.training.rows import EncodedRows, TrainingExample, encode_rows
from tasks.finetune.training.settings import TrainingSettings
from tasks.finetune.training.states import FrozenStates

# Part of every run's identity: raise it when a change here alters the bits of an adapter.
LOOP_VERSION = 1


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
    losses: tuple[float, ...]
    rows_seen: int
    seconds: float
    """Wall time over all attempts."""
    rows_per_s: float
    resumed_from_step: int


class Trainer:
    """One run's state: decoder, adapter, optimiser, and how far it has come."""

    def __init__(self, loaded: LoadedModel, rows: EncodedRows, settings: TrainingSettings) -> None:
        self.settings, self.rows = settings, rows
        self.decoder = Decoder(loaded.model)
        depth = len(self.decoder.layers)
        self.first = depth - min(settings.trained_layers or depth, depth)
        trained = [linear for layer in self.decoder.layers[self.first :] for linear in layer.linears()]
        self.adapter = LoraAdapter(
            trained, frozenset(settings.target_modules), settings.lora_r, settings.lora_alpha, settings.seed
        )
        self.optimiser = Adam(self.adapter.master, settings.clip_norm)
        self.states = FrozenStates(self.decoder, rows, self.first)
        self.per_epoch = steps_per_epoch(len(rows.rows), settings.batch_size)
        self.total = self.per_epoch * settings.epochs
        self.losses: list[float] = []
        self.seconds = 0.0

    def step(self, number: int, indices: Sequence[int]) -> StepMetrics:
        """Optimiser step `number` (from 1) on these rows. Raises TrainingError when it diverges."""
        started = time.perf_counter()
        rate = learning_rate(number, self.total, self.settings.learning_rate, self.settings.warmup_ratio)
        loss = self._loss(indices)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"training diverged at step {number}: loss is {value}", "lower the learning rate"
            )
        loss.backward()
        norm = self.optimiser.step(self.adapter.grad, number, rate)
        self.adapter.publish()
        spent = time.perf_counter() - started
        self.losses.append(value)
        self.seconds += spent
        epoch = (number - 1) // self.per_epoch + 1
        return StepMetrics(number, self.total, epoch, value, rate, norm, len(indices) / spent)

    def _loss(self, indices: Sequence[int]) -> torch.Tensor:
        """Mean cross-entropy over the answer's tokens."""
        states, shape = self.states.batch(indices)
        wanted: list[int] = []
        targets: list[int] = []
        for at, index in enumerate(indices):
            row = self.rows.rows[index]
            end = shape.prefix + at * shape.width + len(row.inputs)
            wanted += range(end - len(row.targets), end)
            targets += row.targets
        depth = len(self.decoder.layers)
        final = self.decoder.run(states, shape, self.first, depth, torch.tensor(wanted))
        return functional.cross_entropy(self.decoder.logits(final).float(), torch.tensor(targets))

    def snapshot(self, run: str) -> checkpoint.Checkpoint:
        """Everything that the next step depends on."""
        tensors = {
            "master": self.adapter.master,
            "mean": self.optimiser.mean,
            "square": self.optimiser.square,
        }
        return checkpoint.Checkpoint(run, len(self.losses), tuple(self.losses), self.seconds, tensors)

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Goes on from a snapshot."""
        self.adapter.master.copy_(saved.tensors["master"])
        self.optimiser.mean.copy_(saved.tensors["mean"])
        self.optimiser.square.copy_(saved.tensors["square"])
        self.losses, self.seconds = list(saved.losses), saved.seconds
        self.adapter.publish()


def train(
    loaded: LoadedModel,
    examples: Sequence[TrainingExample],
    render: Render,
    settings: TrainingSettings,
    *,
    base_digest: str,
    checkpoint_dir: Path,
    output_dir: Path,
    on_step: Callable[[StepMetrics], None] = lambda _: None,
    on_epoch: Callable[[int, LoadedModel], None] = lambda _epoch, _model: None,
) -> TrainingResult:
    """Trains a LoRA adapter and writes it to `output_dir` as a peft directory, in one rename.

    `loaded` is taken over: its weights become the tuned ones, and `on_epoch` may score it as it is.
    A run that was killed goes on from its last checkpoint and gives the same adapter, bit for bit.
    Raises TrainingError on divergence or an unsupported base, DataError for rows that do not fit.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        rows = encode_rows(loaded.tokenizer, render, examples, settings.max_tokens)
        run = run_digest(rows, settings, base_digest)
        trainer = Trainer(loaded, rows, settings)
        saved = checkpoint.load(checkpoint_dir, run)
        if saved is not None:
            trainer.restore(saved)
        resumed = len(trainer.losses)
        _steps(trainer, run, checkpoint_dir, on_step, lambda epoch: on_epoch(epoch, loaded))
    finally:
        torch.set_num_threads(before)
    digest = export_adapter(trainer.adapter, trainer.first, settings, output_dir)
    seen = len(rows.rows) * settings.epochs
    seconds = trainer.seconds
    return TrainingResult(
        output_dir, digest, trainer.total, tuple(trainer.losses), seen, seconds, seen / seconds, resumed
    )


def run_digest(rows: EncodedRows, settings: TrainingSettings, base_digest: str) -> str:
    """Identity of a run: equal digests give equal adapters on equal machines."""
    return digest_json(
        {
            "loop": LOOP_VERSION,
            "settings": settings.digest,
            "base": base_digest,
            "prefix": rows.prefix,
            "rows": [[row.inputs, row.targets] for row in rows.rows],
        }
    )


def _steps(
    trainer: Trainer,
    run: str,
    checkpoint_dir: Path,
    on_step: Callable[[StepMetrics], None],
    on_epoch: Callable[[int], None],
) -> None:
    settings, done = trainer.settings, len(trainer.losses)
    for epoch in range(1, settings.epochs + 1):
        start = (epoch - 1) * trainer.per_epoch
        if done >= start + trainer.per_epoch:
            continue
        batches = epoch_batches(trainer.rows.lengths, settings.batch_size, settings.seed, epoch)
        for number, indices in enumerate(batches, start + 1):
            if number <= done:
                continue
            on_step(trainer.step(number, indices))
            if number % settings.checkpoint_every == 0 or number == trainer.total:
                checkpoint.save(checkpoint_dir, trainer.snapshot(run))
        on_epoch(epoch)
