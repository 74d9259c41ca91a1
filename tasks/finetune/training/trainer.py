"""One run's state: engine, optimiser, losses and evaluations, and how it is saved and restored."""

import time
from collections.abc import Sequence

import torch

from infra.models.load import LoadedModel
from tasks.finetune.training import checkpoint, divergence
from tasks.finetune.training.batches import epoch_batches, steps_per_epoch
from tasks.finetune.training.engine import Engine, choose_engine
from tasks.finetune.training.optimiser import Adam, learning_rate
from tasks.finetune.training.result import StepMetrics
from tasks.finetune.training.rows import EncodedRows
from tasks.finetune.training.settings import TrainingSettings
from tasks.finetune.training.stopping import Evaluation, best_of, exhausted


class Trainer:
    """The step number is the number of losses: what comes next follows from it, seed and rows."""

    def __init__(self, loaded: LoadedModel, rows: EncodedRows, settings: TrainingSettings) -> None:
        self.settings, self.rows = settings, rows
        self.engine: Engine
        self.engine, self.fallback = choose_engine(loaded, rows, settings)
        self.optimiser = Adam(self.engine.master, settings.clip_norm)
        self.per_epoch = steps_per_epoch(len(rows.epochs[0]), settings.batch_size)
        self.total = self.per_epoch * settings.epochs
        self.losses: list[float] = []
        self.evaluations: list[Evaluation] = []
        self.best_master: torch.Tensor | None = None
        self.seconds = 0.0

    def batches(self, epoch: int) -> list[list[int]]:
        """Indices of distinct rows, batch by batch."""
        rows, lengths = self.rows.epoch(epoch), self.rows.lengths
        order = epoch_batches(
            [lengths[row] for row in rows], self.settings.batch_size, self.settings.seed, epoch
        )
        return [[rows[place] for place in batch] for batch in order]

    def step(self, number: int, indices: Sequence[int]) -> StepMetrics:
        """Optimiser step `number` (from 1) on these rows. Raises Diverged."""
        started = time.perf_counter()
        rate = self.rate(number)
        loss = self.engine.loss(indices)
        value = float(loss.detach())
        divergence.check(
            [*self.losses, value], self.settings.divergence_factor, self.settings.divergence_steps
        )
        loss.backward()
        norm = self.optimiser.step(self.engine.grad, number, rate)
        self.engine.publish()
        spent = time.perf_counter() - started
        self.losses.append(value)
        self.seconds += spent
        epoch = (number - 1) // self.per_epoch + 1
        return StepMetrics(number, self.total, epoch, value, rate, norm, len(indices) / spent)

    def rate(self, number: int) -> float:
        """Learning rate of a step."""
        chosen = self.settings
        return learning_rate(
            number, self.total, chosen.learning_rate, chosen.warmup_ratio, chosen.schedule, chosen.final_ratio
        )

    def validation_due(self, number: int) -> bool:
        """Whether the validation rows are scored after step `number`."""
        return number == self.total or number % (self.settings.validate_every or self.per_epoch) == 0

    def evaluated(self, evaluation: Evaluation) -> None:
        """Takes an evaluation of the weights as they are, and keeps them when they are the best."""
        self.evaluations.append(evaluation)
        if best_of(self.evaluations, self.settings.metric) is evaluation:
            self.best_master = self.engine.master.clone()

    @property
    def done(self) -> bool:
        """Whether no step follows: all are done, or validation has stopped improving."""
        return len(self.losses) >= self.total or self.stopped_early

    @property
    def stopped_early(self) -> bool:
        return len(self.losses) < self.total and exhausted(
            self.evaluations, self.settings.metric, self.settings.patience
        )

    def choose_weights(self) -> int | None:
        """Puts the weights that are kept in place; the step they are of, None for the last one's."""
        best = best_of(self.evaluations, self.settings.metric)
        if self.settings.keep == "last" or best is None or self.best_master is None:
            return None
        self.engine.master.copy_(self.best_master)
        self.engine.publish()
        return best.step

    def snapshot(self, run: str) -> checkpoint.Checkpoint:
        """Everything that the next step depends on."""
        tensors = {
            "master": self.engine.master,
            "mean": self.optimiser.mean,
            "square": self.optimiser.square,
        }
        if self.best_master is not None:
            tensors["best"] = self.best_master
        return checkpoint.Checkpoint(
            run, len(self.losses), tuple(self.losses), tuple(self.evaluations), self.seconds, tensors
        )

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Goes on from a snapshot."""
        self.engine.master.copy_(saved.tensors["master"])
        self.optimiser.mean.copy_(saved.tensors["mean"])
        self.optimiser.square.copy_(saved.tensors["square"])
        self.best_master = saved.tensors.get("best")
        self.losses, self.evaluations = list(saved.losses), list(saved.evaluations)
        self.seconds = saved.seconds
        self.engine.publish()
