"""`assay base list|verify|compare|examples`: which base models may be fine-tuned, why, and what they show."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.prompts import PromptTemplate
    from infra.workspace import Workspace
    from tasks.records import DatasetVersion, Row
    from tasks.records.examples import ExampleSet
    from tasks.records.selection import BaseCheck, BaseComparison

app = typer.Typer(no_args_is_help=True)


@app.command("list")
@in_project
def list_bases(call: Call) -> None:
    """Every candidate with its verdict, and its scores when they were compared before."""
    from tasks.develop.selection.table import as_text, checks_as_text
    from tasks.records.selection import BaseComparison

    workspace = call.workspace
    checks = _checks(workspace)
    known = workspace.handover.get("bases", BaseComparison)
    if known is not None and [row.check for row in known.rows] == checks:
        call.emit(known.model_dump(mode="json"), text=as_text(known))
    else:
        rows = [{"check": check.model_dump(mode="json"), "score": None} for check in checks]
        call.emit({"rows": rows}, text=checks_as_text(checks))


@app.command()
@in_project
def verify(
    call: Call,
    name: Annotated[str, typer.Argument(help="Name of the candidate.")],
) -> None:
    """Check one candidate's licence, files, chat template and digest; exit code 1 unless it is accepted."""
    from infra.errors import ConfigError
    from tasks.develop.selection.table import checks_as_text

    workspace = call.workspace
    names = [candidate.name for candidate in workspace.project.base.candidates]
    if name not in names:
        raise ConfigError(f"no candidate {name!r}", hint=f"base.candidates: {', '.join(names)}")
    check = _checks(workspace, only=name)[0]
    call.emit(check.model_dump(mode="json"), text=checks_as_text([check]))
    if check.verdict != "accepted":
        raise typer.Exit(1)


@app.command()
@in_project
def compare(
    call: Call,
    rows: Annotated[
        int | None, typer.Option(min=1, help="Validation rows to score; default: base.scored_rows.")
    ] = None,
) -> None:
    """Score every accepted candidate, zero-shot and few-shot, on validation rows of the developed data."""
    from tasks.develop.selection.table import as_text

    workspace = call.workspace
    found = _compare(workspace, rows)
    call.emit(found.model_dump(mode="json"), text=as_text(found))


@app.command()
@in_project
def examples(call: Call) -> None:
    """Measure what few-shot examples bring to the chosen base: none, one of each label, more."""
    from infra.errors import DataError
    from infra.models.load import load_base
    from tasks.develop.fewshot import ablate
    from tasks.develop.fewshot.table import as_text
    from tasks.records import Developed

    workspace = call.workspace
    developed = workspace.handover.get("developed", Developed)
    if developed is None:
        raise DataError("nothing was developed yet", hint="run develop first: assay run develop")
    curated, template, validation = _developed(workspace)
    report = ablate(
        load_base(workspace.store.open_tree(developed.base.digest)),
        template,
        curated,
        validation,
        workspace.project.examples,
        base_digest=developed.base.digest,
    )
    content = {"examples": curated.model_dump(mode="json"), "ablation": report.model_dump(mode="json")}
    call.emit(content, text=as_text(curated, report))


def _checks(workspace: "Workspace", only: str = "") -> "list[BaseCheck]":
    from infra.models.convert import convert_gguf
    from tasks.develop.selection import check_candidate

    project, work = workspace.project, workspace.home / "work"
    return [
        check_candidate(candidate, project, workspace.store, work, convert_gguf)
        for candidate in project.base.candidates
        if candidate.name == only or not only
    ]


def _compare(workspace: "Workspace", rows: int | None) -> "BaseComparison":
    from tasks.develop.selection import compare_bases
    from tasks.develop.selection.check import require_one

    settings = workspace.project.base
    if rows is not None:
        settings = settings.model_copy(update={"scored_rows": rows})
    curated, template, validation = _developed(workspace)  # first: without data no candidate is fetched
    checks = _checks(workspace)
    require_one(checks)
    found = compare_bases(
        checks, template, curated.first(settings.shots), validation, settings, workspace.store
    )
    workspace.handover.put("bases", found)
    return found


def _developed(workspace: "Workspace") -> "tuple[ExampleSet, PromptTemplate, Sequence[Row]]":
    """Curated examples, the prompt without any, and the validation rows of the last develop run."""
    import dataclasses

    from infra.errors import DataError
    from infra.guard import GuardPolicy
    from infra.prompts import PromptTemplate
    from tasks.develop.datasets import load_split
    from tasks.develop.fewshot import curate_examples
    from tasks.records import Developed

    developed = workspace.handover.get("developed", Developed)
    if developed is None:
        raise DataError("nothing was developed yet", hint="run develop first: assay run develop")
    project, dataset = workspace.project, developed.dataset
    splits = {name: load_split(workspace.store, dataset, name) for name in dataset.splits}
    template = dataclasses.replace(PromptTemplate.from_definition(developed.prompt.definition), examples=())
    curated = curate_examples(
        splits["train"],
        {name: part for name, part in splits.items() if name != "train"},
        project.examples,
        template.labels,
        guard=GuardPolicy.from_yaml(project.path(project.guard).read_bytes()),
        vectors=_vectors(workspace, dataset, splits),
    )
    return curated, template, splits["validation"]


def _vectors(workspace: "Workspace", dataset: "DatasetVersion", splits: Any) -> Any:
    from infra.models.vectors import stored_vectors

    return {
        name: stored_vectors(
            workspace.store, workspace.steps, dataset.content[name], [row.text for row in rows]
        )
        for name, rows in splits.items()
    }
