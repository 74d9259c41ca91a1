"""`assay evaluate`: what a release or a local model gets right, on the test split or on a task file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.records import Developed
    from tasks.validate.benchmark.evaluate import Evaluation


@in_project
def evaluate(
    call: Call,
    target: Annotated[
        str, typer.Argument(help="Release digest or its start, `champion`, or the directory of a model.")
    ],
    task: Annotated[
        Path | None,
        typer.Option("--task", help="Task file (configs/benchmarks/*.yaml); default: the frozen test split."),
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option("--adapter", help="LoRA adapter to merge into a model directory.")
    ] = None,
) -> None:
    """Accuracy with its interval; looks at the frozen test split are counted in the ledger."""
    found = _evaluated(call, target, task, adapter)
    from tasks.validate.benchmark.evaluate import as_text

    call.emit(found.model_dump(mode="json"), text=as_text(found))


def _evaluated(call: Call, target: str, task: Path | None, adapter: Path | None) -> "Evaluation":
    from infra.models.threads import wait_passively

    wait_passively()
    from infra.errors import ConfigError
    from infra.models.threads import use_threads
    from tasks.validate.benchmark.evaluate import Local, evaluate_hold_out, evaluate_task

    directory = Path(target)
    if not directory.is_dir():
        if adapter is not None:
            raise ConfigError(
                "--adapter: a release has its own adapter", hint="give the directory of a model"
            )
        return _release(target, task, call.workspace)
    with use_threads(1):
        model = Local(directory, adapter)
        if task is not None:  # needs no installation at all
            return evaluate_task(model, task)
        developed = _developed(call.workspace)
        return evaluate_hold_out(call.workspace, developed.dataset, model, developed.prompt.definition)


def _release(name: str, task: Path | None, workspace: "Workspace") -> "Evaluation":
    from flows.cli.release import resolve
    from infra.digest import hex_of
    from infra.models.threads import use_threads
    from infra.signing import verify_release
    from tasks.validate.benchmark.evaluate import Local, evaluate_hold_out, evaluate_task, release_unit

    digest = resolve(workspace.state(), name)
    with (
        use_threads(workspace.project.serving.threads),
        verify_release(
            workspace.releases / hex_of(digest),
            trust=workspace.trust,
            store=workspace.store,
        ) as verified,
    ):
        model = Local(verified.base_dir, verified.adapter_dir)
        if task is not None:
            return evaluate_task(model, task, name=digest)
        return evaluate_hold_out(
            workspace,
            _developed(workspace).dataset,
            model,
            verified.prompt,
            name=digest,
            unit=release_unit(verified),
        )


def _developed(workspace: "Workspace") -> "Developed":
    from infra.errors import DataError
    from tasks.records import Developed

    developed = workspace.handover.get("developed", Developed)
    if developed is None:
        raise DataError("there is no test split yet", hint="assay run develop, or give --task")
    return developed
