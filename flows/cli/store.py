"""`assay store clean`: which stage tables nothing refers to any more, and, when asked, remove them."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

if TYPE_CHECKING:
    from tasks.develop.cleaning import Removable

app = typer.Typer()


@app.callback()
def _commands() -> None:
    """With one command alone, typer would take its name away."""


@app.command()
def clean(
    apply: Annotated[bool, typer.Option("--apply", help="Remove them; without it they are listed.")] = False,
    outdated: Annotated[
        bool,
        typer.Option(
            "--outdated", help="Also those of stages whose data are neither a project's last nor handed over."
        ),
    ] = False,
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """List, or remove, stage tables that no handover, step, version, release or ledger entry refers to."""
    from infra.workspace import open_workspace
    from tasks.develop.cleaning import remove, unreferenced

    with explained(as_json):
        workspace = open_workspace(project, profile)
        found = (remove if apply else unreferenced)(workspace, outdated=outdated)
        content = {
            "removed": apply,
            "bytes": sum(each.bytes for each in found),
            "tables": [{"digest": each.digest, "bytes": each.bytes} for each in found],
        }
        emit(content, as_json=as_json, text="\n".join(_lines(found, removed=apply)))


def _lines(found: "list[Removable]", *, removed: bool) -> list[str]:
    lines = [f"{each.digest}  {each.bytes / 1e6:>8.2f} MB" for each in found]
    total = f"{len(found)} stage tables, {sum(each.bytes for each in found) / 1e6:.2f} MB"
    if removed:
        return [*lines, f"{total}: removed"]
    return [*lines, f"{total} can go" + (": add --apply" if found else "")]
