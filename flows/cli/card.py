"""`assay card open`: the page on which a release is decided, in a browser, as a path, or as a PDF."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.workspace import Workspace

app = typer.Typer(no_args_is_help=True)

Subject = Annotated[
    str | None,
    typer.Argument(
        metavar="[RELEASE|UNIT]",
        help="Release or unit digest, the start of its hex digits, or `champion`; default: the newest.",
    ),
]
Print = Annotated[bool, typer.Option("--print", help="Print the path and open nothing.")]
Pdf = Annotated[Path | None, typer.Option("--pdf", help="Print the card into this file (needs Chromium).")]


@dataclass(frozen=True)
class Found:
    """A subject of the ledger and where its card lies."""

    subject: str
    state: str
    page: Path


@app.callback()
def cards() -> None:
    """Release cards."""


@app.command("open")
@in_project
def open_card(call: Call, subject: Subject = None, print_only: Print = False, pdf: Pdf = None) -> None:
    """Open the card of a release or of a blocked candidate; on a terminal it appears in the browser."""
    found = find_card(call.workspace, subject)
    content = {"subject": found.subject, "state": found.state, "card": str(found.page)}
    if pdf is not None:
        from infra.pages.browser import print_pdf

        print_pdf(found.page, pdf.absolute())
        content["pdf"] = str(pdf)
    elif not print_only and not call.as_json and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(found.page.as_uri())
    call.emit(content, text=str(pdf or found.page))


def find_card(workspace: "Workspace", name: str | None) -> Found:
    """The card of one subject, the newest by default; raises DataError when there is no such card."""
    from flows.cli.release import resolve
    from infra.digest import hex_of
    from infra.errors import DataError
    from tasks.deploy.card.candidate import candidate_page

    state = workspace.state()
    if name is None:
        newest = sorted(state.releases.values(), key=lambda each: each.seq)[-1:]
        if not newest:
            raise DataError("no release and no blocked candidate yet", hint="assay run lifecycle")
        subject = newest[0].release
    else:
        subject = resolve(state, name)
    # A release carries its card; of a blocked candidate there is only the unit.
    packaged = workspace.releases / hex_of(subject) / "card.html"
    page = packaged if packaged.exists() else candidate_page(workspace.home, subject)
    if not page.exists():
        raise DataError(f"{subject} has no card", hint="validate it again")
    return Found(subject, state.of(subject) or "", page)
