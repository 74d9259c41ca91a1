"""`assay prompt compare`: prompts × example sets on the validation split, paired, the table in MLflow."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import prompt_catalogue as catalogue
from flows.cli.project import Call, in_project
from flows.cli.prompt_tokens import token_counter
from infra.errors import DataError, Unavailable

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.develop.prompts.comparison import Contender
    from tasks.records.prompt import PromptComparison


@in_project
def compare(
    call: Call,
    targets: Annotated[list[str], typer.Argument(help="Prompt files, aliases or digests.")],
    examples: Annotated[
        list[str] | None, typer.Option("--examples", help="`none`, or a JSON file of an example set.")
    ] = None,
    tuned: Annotated[bool, typer.Option("--tuned", help="On the base with its latest adapter.")] = False,
    log: Annotated[bool, typer.Option(help="Log the table to MLflow when it runs.")] = True,
) -> None:
    """Which prompt is better, on the validation split, paired; `no winner` when nothing is proven."""
    from tasks.develop.prompts.report import comparison_table

    workspace = call.workspace
    found = [catalogue.resolve(workspace, target) for target in targets]
    comparison = _compare(workspace, found, examples or [], tuned=tuned, quiet=call.as_json)
    if log:
        _log(workspace, comparison)
    content = comparison.model_dump(mode="json")
    call.emit(content, text=comparison_table(comparison))


def _compare(
    workspace: "Workspace", found: list[catalogue.Known], examples: list[str], *, tuned: bool, quiet: bool
) -> "PromptComparison":
    from infra.models.threads import wait_passively

    wait_passively()
    import torch

    from infra.models.load import load_base, load_tuned
    from tasks.develop.prompts.comparison import compare_prompts, read_validation
    from tasks.develop.prompts.scoring import label_answers
    from tasks.records import Developed, FineTuned

    developed = workspace.handover.get("developed", Developed)
    finetuned = workspace.handover.get("finetuned", FineTuned) if tuned else None
    adapter = finetuned.adapter if finetuned else None
    if developed is None or (tuned and adapter is None):
        raise DataError("no model to compare on yet", hint=f"assay run {'finetune' if tuned else 'develop'}")
    contenders = _contenders(workspace, found, examples)
    torch.set_num_threads(workspace.project.training.threads)
    base = adapter.base if adapter else developed.base.digest
    tree = workspace.store.open_tree(base)
    loaded = load_tuned(tree, workspace.store.open_tree(adapter.digest)) if adapter else load_base(tree)
    return compare_prompts(
        contenders,
        read_validation(workspace.store, developed.dataset),
        label_answers(loaded),
        base=base,
        adapter=adapter.digest if adapter else None,
        on_progress=_nothing if quiet else _progress([each.name for each in contenders]),
    )


def _contenders(
    workspace: "Workspace", found: list[catalogue.Known], examples: list[str]
) -> "list[Contender]":
    """Every prompt with every set of examples; without `--examples`, each prompt as it is."""
    from infra.prompts import PromptTemplate
    from tasks.develop.prompts.comparison import Contender

    count = token_counter(workspace)
    made = []
    for each in found:
        plain = PromptTemplate.from_definition(each.definition)
        variants: list[tuple[str, PromptTemplate]] = [
            (
                f" + {Path(name).stem}",
                PromptTemplate.from_definition({**each.definition, "examples": _examples(name)}),
            )
            for name in examples
        ]
        for suffix, template in variants or [("", plain)]:
            name = Path(each.origin).stem if each.origin.endswith((".yaml", ".yml")) else each.origin
            tokens = count(template.messages("")) if count else None
            made.append(Contender(f"{name}{suffix}", template, tokens))
    return made


def _examples(name: str) -> Any:
    """The examples in a JSON file: `{"examples": [{"text": …, "label": …}, …]}`; raises DataError."""
    if name == "none":
        return []
    try:
        content = json.loads(Path(name).read_text(encoding="utf-8"))
        return [{"text": each["text"], "label": each["label"]} for each in content["examples"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{name} holds no example set: {error}", hint="{examples: [{text, label}]}"
        ) from error


def _log(workspace: "Workspace", comparison: "PromptComparison") -> None:
    """On a run of its own; without a running MLflow the table is only printed."""
    from flows.cli.environment import enter_stack
    from infra.stack import endpoints, status
    from infra.tracking import Tracking
    from tasks.develop.prompts.report import log_comparison

    if not status(workspace.home).running:
        typer.echo("MLflow is not running (assay up): the table is not logged", err=True)
        return
    running = endpoints(workspace.home)
    enter_stack(workspace.home, running)
    tags = {"phase": "compare-prompts", "project": workspace.project.name}
    try:
        with Tracking(running.mlflow_url).phase(workspace.project.name, "compare-prompts", tags) as run:
            log_comparison(run, comparison)
    except Unavailable as error:
        typer.echo(f"the table is not logged: {error.message}", err=True)


def _nothing(_done: int, _total: int) -> None:
    """No progress where a program reads."""


def _progress(names: list[str]) -> Callable[[int, int], None]:
    return lambda done, total: typer.echo(f"{done}/{total} {names[done - 1]}", err=True)
