"""One training run of a project: rows, augmentation, settings in; a stored adapter out; progress on the way.

adapter = tune(workspace, run, developed, rows, inputs, environment="sha256:…")
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from infra.digest import digest_json, hex_of
from infra.ledger import local_actor
from infra.prompts import PromptTemplate
from infra.splits import read_split
from infra.workspace import Workspace
from tasks.records import Developed, Digest, Row, SplitName, TrainedAdapter
from tasks.records.training import ValidationScore

if TYPE_CHECKING:
    from infra.tracking import PhaseRun


def rows_of(workspace: Workspace, developed: Developed, split: SplitName) -> list[Row]:
    """The rows of one split, verified; raises IntegrityError."""
    dataset = developed.dataset
    cells = read_split(workspace.store, dataset.splits[split], dataset.content[split])
    return [Row.model_validate(each) for each in cells]


def tune(
    workspace: Workspace,
    run: "PhaseRun",
    developed: Developed,
    rows: Sequence[Row],
    inputs: Mapping[str, str],
    environment: Digest,
) -> TrainedAdapter:
    """Train on `rows`, or go on with the run of the same `inputs` that was killed; raises as `train` does."""
    from infra.models.load import load_base
    from tasks.finetune.augmentation.epochs import epoch_examples
    from tasks.finetune.training.loop import train
    from tasks.finetune.training.result import StepMetrics
    from tasks.finetune.training.rows import TrainingExample
    from tasks.finetune.training.settings import TrainingSettings
    from tasks.finetune.training.stopping import Evaluation

    project, labels = workspace.project, developed.prompt.labels
    work = workspace.home / "work" / "train" / hex_of(digest_json(dict(inputs)))[:16]
    settings = TrainingSettings(**project.training.model_dump())
    with _progress() as bar, run.live_metrics() as live:

        def on_step(metrics: StepMetrics) -> None:
            live.log(metrics.step, {"loss": metrics.loss, "learning_rate": metrics.learning_rate})
            bar.total = metrics.total_steps
            bar.n = metrics.step
            bar.set_postfix(loss=f"{metrics.loss:.3f}", refresh=True)

        def on_validation(found: Evaluation) -> None:
            live.log(found.step, {"validation_accuracy": found.accuracy, "validation_loss": found.loss})

        result = train(
            load_base(workspace.store.open_tree(developed.base.digest)),
            [TrainingExample(row.text, row.label) for row in rows],
            PromptTemplate.from_definition(developed.prompt.definition).messages,
            settings,
            base_digest=developed.base.digest,
            checkpoint_dir=work / "checkpoint",
            output_dir=work / "adapter",
            epoch_examples=epoch_examples(rows, project.augmentation, settings.seed, labels),
            validation=[TrainingExample(row.text, row.label) for row in _watched(workspace, developed)],
            labels=labels,
            on_step=on_step,
            on_validation=on_validation,
        )
    digest = workspace.store.put_tree(result.adapter_dir)
    shutil.rmtree(work, ignore_errors=True)
    return TrainedAdapter(
        digest=digest,
        base=inputs["base"],
        dataset=inputs["dataset"],
        prompt=inputs["prompt"],
        settings=inputs["settings"],
        code=inputs["code"],
        steps=result.steps,
        rows_seen=result.rows_seen,
        final_loss=result.losses[-1],
        losses=result.losses,
        seconds=result.seconds,
        resumed_from_step=result.resumed_from_step,
        run_id=run.id,
        trained_by=local_actor(),
        environment=environment,
        backend=settings.backend,
        engine=result.engine,
        fallback=result.fallback,
        validations=tuple(
            ValidationScore(step=each.step, accuracy=each.accuracy, loss=each.loss)
            for each in result.validations
        ),
        best_step=result.best_step,
        stopped_early=result.stopped_early,
    )


def _watched(workspace: Workspace, developed: Developed) -> list[Row]:
    """Validation rows to score on the way; none where nothing would follow from them."""
    training = workspace.project.training
    decides = training.keep == "best" or training.patience is not None
    return rows_of(workspace, developed, "validation") if decides else []


def _progress() -> Any:
    from tqdm import tqdm

    return tqdm(desc="training", unit="step", disable=not sys.stderr.isatty(), leave=False)
