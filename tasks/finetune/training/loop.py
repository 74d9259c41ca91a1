"""Training: examples in, a peft adapter directory out, the same bits for the same inputs.

result = train(load_base(path), examples, prompt.messages, settings, checkpoint_dir=…, output_dir=…)
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, cast

from infra.digest import digest_json
from infra.models.allocation import keep_freed_memory
from infra.models.chat import Render
from infra.models.load import LoadedModel
from infra.models.threads import use_threads
from tasks.finetune.training import checkpoint, memory
from tasks.finetune.training.export import export_adapter
from tasks.finetune.training.result import StepMetrics, TrainingResult
from tasks.finetune.training.rows import EncodedRows, EpochExamples, TrainingExample, encode_epochs
from tasks.finetune.training.settings import TrainingSettings
from tasks.finetune.training.stopping import Evaluation
from tasks.finetune.training.trainer import Trainer
from tasks.finetune.training.validation import Validator, validator

# Part of every run's identity: raise it when a change here alters the bits of an adapter.
LOOP_VERSION = 2


def train(
    loaded: LoadedModel,
    examples: Sequence[TrainingExample],
    render: Render,
    settings: TrainingSettings,
    *,
    base_digest: str,
    checkpoint_dir: Path,
    output_dir: Path,
    epoch_examples: EpochExamples | None = None,
    validation: Sequence[TrainingExample] = (),
    labels: Sequence[str] = (),
    on_step: Callable[[StepMetrics], None] = lambda _: None,
    on_epoch: Callable[[int, LoadedModel], None] = lambda _epoch, _model: None,
    on_validation: Callable[[Evaluation], None] = lambda _: None,
) -> TrainingResult:
    """Trains a LoRA adapter and writes it to `output_dir` as a peft directory, in one rename.

    `loaded` is taken over: its weights become the tuned ones, and `on_epoch` may score it as it is.
    `epoch_examples(n)` gives the rows of epoch n from 1, as many in each; None: `examples` in all of them.
    `validation` rows decide which weights are kept and when to stop; without them the last are. `labels`
    are what a row may be answered with; empty: those of the examples.
    A run that was killed goes on from its last checkpoint and gives the same adapter, bit for bit.
    Raises Diverged, OutOfMemory, another TrainingError for an unsupported base, DataError for rows that
    do not fit.
    """
    epochs = [epoch_examples(n) for n in range(1, settings.epochs + 1)] if epoch_examples else [examples]
    rows = encode_epochs(loaded.tokenizer, render, epochs, settings.max_tokens)
    labels = tuple(labels) or tuple(sorted({example.label for example in [*epochs[0], *validation]}))
    checked = (
        encode_epochs(loaded.tokenizer, render, [validation], settings.max_tokens) if validation else None
    )
    run = run_digest(rows, checked, labels, settings, base_digest)
    with memory.explained(settings):
        if settings.backend == "hf":
            from tasks.finetune.training.launch import train_in_processes

            return train_in_processes(
                loaded, rows, checked, settings, run, checkpoint_dir, output_dir, on_step, on_validation
            )
        keep_freed_memory()
        with use_threads(settings.threads):
            evaluate = validator(loaded, render, validation, labels) if validation else None
            trainer = Trainer(loaded, rows, settings)
            saved = checkpoint.load(checkpoint_dir, run)
            if saved is not None:
                trainer.restore(saved)
            resumed = len(trainer.losses)
            for epoch, ended in _steps(trainer, run, checkpoint_dir, evaluate, on_step, on_validation):
                if ended:
                    on_epoch(epoch, loaded)
            return _finish(trainer, output_dir, resumed)


def run_digest(
    rows: EncodedRows,
    validation: EncodedRows | None,
    labels: Sequence[str],
    settings: TrainingSettings,
    base_digest: str,
) -> str:
    """Identity of a run: equal digests give equal adapters on equal machines."""
    return digest_json(
        {
            "loop": LOOP_VERSION,
            "settings": settings.digest,
            "base": base_digest,
            "labels": list(labels),
            "train": _tokens(rows),
            "validation": _tokens(validation) if validation else None,
        }
    )


def _tokens(rows: EncodedRows) -> dict[str, object]:
    tokens = [[list(row.inputs), list(row.targets)] for row in rows.rows]
    return {"prefix": list(rows.prefix), "rows": tokens, "epochs": [list(epoch) for epoch in rows.epochs]}


def _steps(
    trainer: Trainer,
    run: str,
    checkpoint_dir: Path,
    evaluate: Validator | None,
    on_step: Callable[[StepMetrics], None],
    on_validation: Callable[[Evaluation], None],
) -> Iterator[tuple[int, bool]]:
    """Does what is left of the run; yields (epoch, whether it is complete) after every step."""
    settings, done = trainer.settings, len(trainer.losses)
    for epoch in range(done // trainer.per_epoch + 1, settings.epochs + 1):
        if trainer.done:
            return
        trainer.engine.start_epoch(epoch)
        start = (epoch - 1) * trainer.per_epoch
        for number, indices in enumerate(trainer.batches(epoch), start + 1):
            if number <= done or trainer.done:
                continue
            on_step(trainer.step(number, indices))
            validated = evaluate is not None and trainer.validation_due(number)
            if evaluate is not None and validated:
                trainer.evaluated(evaluate(number))
                on_validation(trainer.evaluations[-1])
            if validated or number % settings.checkpoint_every == 0 or number == trainer.total:
                checkpoint.save(checkpoint_dir, trainer.snapshot(run))
            yield epoch, number == start + trainer.per_epoch


def _finish(trainer: Trainer, output_dir: Path, resumed: int) -> TrainingResult:
    best_step = trainer.choose_weights()
    engine = trainer.engine
    digest = export_adapter(engine.masters(), engine.first, trainer.settings, output_dir)
    epochs, rest = divmod(len(trainer.losses), trainer.per_epoch)
    seen = epochs * len(trainer.rows.epochs[0])
    seen += sum(len(batch) for batch in trainer.batches(epochs + 1)[:rest]) if rest else 0
    return TrainingResult(
        adapter_dir=output_dir,
        adapter_digest=digest,
        steps=len(trainer.losses),
        losses=tuple(trainer.losses),
        rows_seen=seen,
        seconds=trainer.seconds,
        rows_per_s=seen / trainer.seconds,
        resumed_from_step=resumed,
        engine=cast(Literal["flat", "reference"], engine.name),
        fallback=trainer.fallback,
        validations=tuple(trainer.evaluations),
        best_step=best_step,
        stopped_early=trainer.stopped_early,
    )
