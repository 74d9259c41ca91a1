"""`assay audit verify`: is the history what was written?"""

import typer

from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Prove what happened."""


@app.command()
def verify(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """Check the ledger's whole chain; names the first row that was altered."""
    from infra.ledger import head_digest
    from infra.workspace import open_workspace

    with explained(as_json):
        ledger = open_workspace(project, profile).ledger
        count = ledger.verify()
        head = head_digest(ledger.entries())
        text = f"ledger intact: {count} entries, head {head}"
        emit({"entries": count, "head": head, "intact": True}, as_json=as_json, text=text)
