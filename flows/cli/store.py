"""`assay store clean`: which stage tables nothing refers to any more, and, when asked, remove them."""

from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from tasks.develop.cleaning import Removable

app = typer.Typer()


@app.callback()
def _commands() -> None:
    """With one command alone, typer would take its name away."""


@app.command()
@in_project
def clean(
    call: Call,
    apply: Annotated[bool, typer.Option("--apply", help="Remove them; without it they are listed.")] = False,
    outdated: Annotated[
        bool,
        typer.Option(
            "--outdated", help="Also those of stages whose data are neither a project's last nor handed over."
        ),
    ] = False,
) -> None:
    """List, or remove, stage tables that no handover, step, version, release or ledger entry refers to."""
    from tasks.develop.cleaning import remove, unreferenced

    workspace = call.workspace
    found = (remove if apply else unreferenced)(workspace, outdated=outdated)
    content = {
        "removed": apply,
        "bytes": sum(each.bytes for each in found),
        "tables": [{"digest": each.digest, "bytes": each.bytes} for each in found],
    }
    call.emit(content, text="\n".join(_lines(found, removed=apply)))


def _lines(found: "list[Removable]", *, removed: bool) -> list[str]:
    lines = [f"{each.digest}  {each.bytes / 1e6:>8.2f} MB" for each in found]
    total = f"{len(found)} stage tables, {sum(each.bytes for each in found) / 1e6:.2f} MB"
    if removed:
        return [*lines, f"{total}: removed"]
    return [*lines, f"{total} can go" + (": add --apply" if found else "")]
