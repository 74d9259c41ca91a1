"""`assay data …`: prepare the data, look at a prepared version, compare two."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.output import emit
from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.workspace import Workspace
    from tasks.develop.difference import Difference
    from tasks.develop.versions import PreparedVersion
    from tasks.records.data import StageReport

app = typer.Typer(no_args_is_help=True)

Version = Annotated[str, typer.Argument(help="Digest of a prepared version, its first digits, or `latest`.")]
HtmlOption = Annotated[Path | None, typer.Option("--html", help="Write the quality report to this file.")]
CardOption = Annotated[
    Path | None, typer.Option("--card", help="Write the data card (Markdown) to this file.")
]


@app.command()
@in_project
def prepare(
    call: Call,
    html: HtmlOption = None,
    card: CardOption = None,
) -> None:
    """Prepare the data as the flow does, without any service; finished stages are not done again."""
    from infra.scale import mapper
    from tasks.develop.quality import require_quality
    from tasks.develop.versions import find_version
    from tasks.develop.versions import prepare as prepare_data

    workspace = call.workspace
    with mapper(workspace.project.scale) as map_chunks:
        dataset = prepare_data(workspace, map_chunks=map_chunks, watch=None if call.as_json else _tell)
    _print(workspace, find_version(workspace, dataset.digest), html, card, call.as_json)
    require_quality(dataset.quality)


@app.command()
@in_project
def show(
    call: Call,
    version: Version = "latest",
    html: HtmlOption = None,
    card: CardOption = None,
) -> None:
    """One prepared version: rows, stages, quality; its report and data card as files."""
    from tasks.develop.versions import find_version

    workspace = call.workspace
    _print(workspace, find_version(workspace, version), html, card, call.as_json)


@app.command()
@in_project
def diff(
    call: Call,
    old: Version,
    new: Version = "latest",
    rows: Annotated[bool, typer.Option("--rows", help="Print the texts that differ.")] = False,
) -> None:
    """What changed between two prepared versions: settings, stages, rows by split and label."""
    from tasks.develop.difference import compare
    from tasks.develop.versions import find_version

    workspace = call.workspace
    found = compare(workspace.store, *(find_version(workspace, name) for name in (old, new)))
    content = found.model_dump(mode="json", exclude=None if rows else {"texts"})
    call.emit(content, text="\n".join(_difference_lines(found, rows)))


def _tell(report: "StageReport") -> None:
    typer.echo(f"{report.name:<16} {report.rows_in:>9,} → {report.rows_out:>9,} rows", err=True)


def _print(
    workspace: "Workspace", version: "PreparedVersion", html: Path | None, card: Path | None, as_json: bool
) -> None:
    from infra import atomic
    from tasks.develop.documents import quality_documents
    from tasks.develop.versions import project_of

    dataset = version.dataset
    files: dict[str, str] = {}
    if html or card:
        documents = quality_documents(dataset, project_of(workspace, version))
        for kind, target, text in (("report", html, documents.report), ("card", card, documents.card)):
            if target is not None:
                atomic.write_text(target.absolute(), text, mode=0o644)
                files[kind] = str(target)
    content: dict[str, Any] = {**version.model_dump(mode="json"), "files": files}
    emit(content, as_json=as_json, text="\n".join(_version_lines(version, files)))


def _version_lines(version: "PreparedVersion", files: dict[str, str]) -> list[str]:
    from tasks.records.quality import SPLITS

    dataset, quality = version.dataset, version.dataset.quality
    lines = [
        f"data     {dataset.name} {dataset.digest}",
        f"prepared {version.prepared[:19]}Z from {dataset.source}",
        "rows     " + ", ".join(f"{name} {dataset.rows.get(name, 0):,}" for name in SPLITS),
    ]
    for stage in dataset.stages:
        why = ", ".join(f"{reason} {count:,}" for reason, count in {**stage.dropped, **stage.changed}.items())
        lines.append(f"  {stage.name:<16} {stage.rows_in:>9,} → {stage.rows_out:>9,}  {why}")
    verdict = "passed" if quality.passed else "FAILED"
    lines.append(
        f"quality  {verdict}: {quality.expectations} expectations on {sum(quality.rows.values()):,} rows"
    )
    lines += [f"  against {line}" for line in quality.failed]
    lines += [
        f"  {result.unexpected:,} rows against `{result.rule}`, left to the gates"
        for result in quality.results
        if result.unexpected and not result.blocking
    ]
    return lines + [f"{kind:<8} {path}" for kind, path in files.items()]


def _difference_lines(found: "Difference", rows: bool) -> list[str]:
    lines = [f"- {found.digests[0]}", f"+ {found.digests[1]}"]
    lines += [f"setting {name}: {was} → {now}" for name, (was, now) in found.settings.items()]
    for stage in found.stages:
        lines.append(f"stage {stage.name}: {stage.rows_out[0]} → {stage.rows_out[1]} rows out")
    lines += [f"{name}: {was:,} → {now:,} rows" for name, (was, now) in found.rows.items()]
    for sign, counts in (("+", found.added), ("-", found.removed)):
        lines += [
            f"  {sign}{count:,} {split} {label}"
            for split, by_label in counts.items()
            for label, count in by_label.items()
        ]
    for what, moves in (("moved", found.moved), ("relabelled", found.relabelled)):
        lines += [f"  {count:,} {what}: {where}" for where, count in moves.items()]
    if rows:
        for change in found.texts:
            lines.append(f"{_place(change.before)} → {_place(change.after)}: {change.text}")
    return lines if not found.empty else [*lines, "the same rows in the same splits"]


def _place(place: tuple[str, str] | None) -> str:
    return "/".join(place) if place else "none"
