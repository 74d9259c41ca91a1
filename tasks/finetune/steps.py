"""Fine-tune's work as Prefect tasks: train once for the same inputs, log the loss while it falls."""

import shutil
import sys
from typing import TYPE_CHECKING, Any

from infra.code import code_digest
from infra.digest import digest_json, hex_of
from infra.errors import DataError
from infra.prompts import PromptTemplate
from infra.steps import step
from infra.workspace import Workspace
from tasks.records import Developed, Row, TrainedAdapter

if TYPE_CHECKING:
    from infra.tracking import PhaseRun

_CODE = ("tasks.finetune.training", "infra.models", "infra.prompts")


@step
def take_developed(workspace: Workspace) -> Developed:
    """What develop handed over for this project and profile; raises DataError when there is nothing."""
    developed = workspace.handover.get("developed", Developed)
    if developed is None:
        raise DataError("nothing to train on yet", hint="run develop first: assay run develop")
    return developed


@step
def train_adapter(workspace: Workspace, run: "PhaseRun", developed: Developed) -> TrainedAdapter:
    """The adapter for exactly these inputs and this code: trained now, or the one that was."""
    inputs = {
        "base": developed.base.digest,
        "dataset": developed.dataset.digest,
        "prompt": developed.prompt.digest,
        "settings": digest_json(workspace.project.training.model_dump(mode="json")),
        "code": code_digest(*_CODE),
    }
    adapter = workspace.steps.once(
        "train", inputs, TrainedAdapter, lambda: _train(workspace, run, developed, inputs)
    )
    workspace.store.open_tree(adapter.digest)
    run.params({**inputs, "adapter": adapter.digest, **workspace.project.training.model_dump(mode="json")})
    run.metrics({"final_loss": adapter.final_loss, "training_seconds": adapter.seconds})
    return adapter


def _train(
    workspace: Workspace, run: "PhaseRun", developed: Developed, inputs: dict[str, str]
) -> TrainedAdapter:
    import torch

    from infra.models.load import load_base
    from tasks.finetune.training.loop import StepMetrics, train
    from tasks.finetune.training.rows import TrainingExample
    from tasks.finetune.training.settings import TrainingSettings

    work = workspace.home / "work" / "train" / hex_of(digest_json(inputs))[:16]
    settings = TrainingSettings(**workspace.project.training.model_dump())
    rows = [TrainingExample(row.text, row.label) for row in _rows(workspace, developed)]
    torch.set_num_threads(settings.threads)
    with _progress() as bar, run.live_metrics() as live:

        def on_step(metrics: StepMetrics) -> None:
            live.log(metrics.step, {"loss": metrics.loss, "learning_rate": metrics.learning_rate})
            bar.total = metrics.total_steps
            bar.n = metrics.step
            bar.set_postfix(loss=f"{metrics.loss:.3f}", refresh=True)

        result = train(
            load_base(workspace.store.open_tree(developed.base.digest)),
            rows,
            _template(developed).messages,
            settings,
            base_digest=developed.base.digest,
            checkpoint_dir=work / "checkpoint",
            output_dir=work / "adapter",
            on_step=on_step,
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
    )


def _rows(workspace: Workspace, developed: Developed) -> list[Row]:
    import io

    import pyarrow.parquet as pq

    data = workspace.store.get_bytes(developed.dataset.splits["train"])
    return [Row.model_validate(row) for row in pq.read_table(io.BytesIO(data)).to_pylist()]


def _template(developed: Developed) -> PromptTemplate:
    prompt = developed.prompt
    return PromptTemplate(prompt.name, prompt.system, prompt.user, prompt.labels)


def _progress() -> Any:
    from tqdm import tqdm

    return tqdm(desc="training", unit="step", disable=not sys.stderr.isatty(), leave=False)
