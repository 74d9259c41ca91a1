"""`assay threats report|list|check`: what may go wrong, what is done about it, and whether that holds."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained

if TYPE_CHECKING:
    from tasks.develop.requirements.model import ThreatModel

app = typer.Typer(no_args_is_help=True)


@app.command()
def report(
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    html: Annotated[Path | None, typer.Option(help="Write the page with the diagram here.")] = None,
    pytm: Annotated[Path | None, typer.Option(help="Write the model as a program for pytm here.")] = None,
    as_json: Json = False,
) -> None:
    """Draw the threat model: data flows, trust boundaries, threats, controls and their proofs."""
    with explained(as_json):
        from infra import atomic
        from tasks.develop.requirements.page import threats_page
        from tasks.develop.requirements.pytm import pytm_program
        from tasks.develop.requirements.report import as_text

        model, content = _read(project, profile)
        written = []
        if html is not None:
            atomic.write_text(html, threats_page(model, content), mode=0o644)
            written.append(str(html))
        if pytm is not None:
            atomic.write_text(pytm, pytm_program(model, content["title"]), mode=0o644)
            written.append(str(pytm))
        text = "\n".join([as_text(content), *(f"wrote {file}" for file in written)])
        emit(content | {"written": written}, as_json=as_json, text=text)


@app.command("list")
def list_threats(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """List threats, worst first."""
    with explained(as_json):
        from tasks.develop.requirements.report import as_text

        _, content = _read(project, profile)
        emit(content["threats"], as_json=as_json, text=as_text(content | {"problems": []}))


@app.command()
def check(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """Check every proof; exit 2 when one does not hold."""
    with explained(as_json):
        _, content = _read(project, profile)
        problems = [
            f"{each['where']}: {each['message']}" + (f"\n  → {each['hint']}" if each["hint"] else "")
            for each in content["problems"]
        ]
        found = {"headline": content["headline"], "problems": content["problems"]}
        emit(found, as_json=as_json, text="\n".join([*problems, content["headline"]]))
        if problems:
            raise typer.Exit(2)


def _read(name: str, profile: str) -> "tuple[ThreatModel, dict[str, Any]]":
    from infra.config import load_project
    from tasks.develop.requirements import check_requirements, gate_metrics
    from tasks.develop.requirements.report import threat_report

    project = load_project(name, profile=profile)
    model, problems = check_requirements(project, gate_metrics(project))
    return model, threat_report(project, model, problems)
