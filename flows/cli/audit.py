"""`assay audit verify|decisions`: is the history what was written, and who really decided?"""

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


@app.command()
def decisions(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """Prove the newest decision about every release again, from its signatures; exit 1 if one is not."""
    from infra.workspace import open_workspace
    from tasks.deploy.voting.audit import audit_decisions

    with explained(as_json):
        rows = audit_decisions(open_workspace(project, profile))
        words = {True: "proven", False: "NOT PROVEN"}
        lines = [f"{r.release[7:19]}  {r.decision:<9} {words[r.proven]:<11} {r.detail}" for r in rows]
        content = [row.model_dump(mode="json") for row in rows]
        emit(content, as_json=as_json, text="\n".join(lines) or "no decisions yet")
        if not all(row.proven for row in rows):
            raise typer.Exit(1)
