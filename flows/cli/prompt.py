"""`assay prompt …`: look at prompts, lint, render and compare them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli import prompt_catalogue as catalogue
from flows.cli.project import Call, in_project
from flows.cli.prompt_compare import compare
from flows.cli.prompt_tokens import token_counter, tokenizer_of

if TYPE_CHECKING:
    from tasks.records.prompt import LintFinding

app = typer.Typer(no_args_is_help=True)

_SOME_LABELS = ("first label", "second label")
Target = Annotated[
    str | None,
    typer.Argument(help="Prompt file, `champion`, `previous`, or the start of a digest; default: its own."),
]


@app.command("list")
@in_project
def list_prompts(call: Call) -> None:
    """Prompts of files, of develop, and of releases, by digest."""
    known = catalogue.known_prompts(call.workspace)
    rows = [{"digest": each.digest, "name": each.name, "origin": each.origin} for each in known]
    lines = [f"{each.digest[:19]}  {each.name:<16} {each.origin}" for each in known]
    call.emit(rows, text="\n".join(lines) or "no prompt yet (assay run develop)")


@app.command()
@in_project
def show(
    call: Call,
    target: Target = None,
) -> None:
    """The whole definition of one prompt."""
    found = catalogue.resolve(call.workspace, target)
    content = {"digest": found.digest, "origin": found.origin, "definition": found.definition}
    shown = json.dumps(found.definition, indent=2, ensure_ascii=False)
    call.emit(content, text=f"{found.digest}  {found.origin}\n{shown}")


@app.command()
@in_project
def diff(
    call: Call,
    old: Annotated[str, typer.Argument(help="File, alias or digest.")],
    new: Annotated[str, typer.Argument(help="File, alias or digest.")],
) -> None:
    """What differs between two prompts."""
    from tasks.develop.prompts.difference import definition_difference, difference_text

    workspace = call.workspace
    before, after = (catalogue.resolve(workspace, name) for name in (old, new))
    changes = definition_difference(before.definition, after.definition)
    call.emit(changes, text=difference_text(changes))


@app.command()
@in_project
def lint(
    call: Call,
    files: Annotated[list[Path] | None, typer.Argument(help="Prompt files; default: the project's.")] = None,
) -> None:
    """Every finding in prompt files, by file and line; exit 1 when one is an error."""
    from tasks.develop.prompts import lint_prompt

    workspace = call.workspace
    labels = catalogue.labels_of(workspace)
    count = token_counter(workspace) if labels else None
    findings: list[LintFinding] = []
    looked = files or catalogue.prompt_files(workspace)
    for file in looked:
        findings += lint_prompt(file, labels or _SOME_LABELS, count=count)
    lines = [f"{each}\n    {each.hint}" if each.hint else str(each) for each in findings]
    errors = sum(each.severity == "error" for each in findings)
    lines.append(f"{len(looked)} prompts, {errors} errors, {len(findings) - errors} warnings")
    if count is None:
        lines.append("the length budget is not checked before develop has run (labels, base model)")
    call.emit([each.model_dump() for each in findings], text="\n".join(lines))
    if errors:
        raise typer.Exit(1)


@app.command()
@in_project
def render(
    call: Call,
    target: Target = None,
    text: Annotated[str, typer.Option("--text", help="What comes from outside.")] = "",
) -> None:
    """The messages that a model reads, and what they cost when a base model is in the store."""
    from infra.prompts import PromptTemplate

    workspace = call.workspace
    template = PromptTemplate.from_definition(catalogue.resolve(workspace, target).definition)
    messages = template.messages(text)
    content: dict[str, Any] = {"digest": template.digest, "messages": messages}
    lines = [f"[{each['role']}]\n{each['content']}" for each in messages]
    tokenizer = tokenizer_of(workspace)
    if tokenizer is None:
        lines.append("(no base model in the store: tokens are not counted)")
    else:
        from infra.models.tokenizer import count_tokens

        counted = count_tokens(tokenizer, messages)
        content |= {"tokens": counted.tokens, "special_tokens": counted.special}
        lines.append(f"({counted.tokens} tokens, {counted.special} of them control tokens)")
    call.emit(content, text="\n".join(lines))


app.command()(compare)
