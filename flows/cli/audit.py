"""`assay audit verify|decisions|export|checkpoint`: is the history what was written, and is it served?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.project import Call, in_project

if TYPE_CHECKING:
    from infra.ledger import Entry

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Prove what happened."""


@app.command()
@in_project
def verify(
    call: Call,
    release: Annotated[
        Path | None, typer.Option("--release", help="Directory of one release: only this, and its history.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Files and the ledger alone; MLflow's aliases are not asked.")
    ] = False,
) -> None:
    """Check ledger, checkpoint, routes and every byte of every release; exit code 1 unless all holds."""
    if release is not None:
        _verify_one(call, release)
        return
    from infra.ledger import head_digest
    from tasks.deploy.audit import Finding
    from tasks.deploy.audit import audit as look

    found = look(call.workspace)
    if not offline and all(each.healthy for each in found):
        from tasks.deploy.diagnosis import diagnose

        found += [
            Finding(each.part, each.healthy, each.message)
            for each in diagnose(call.workspace)
            if each.part == "aliases"
        ]
    intact = all(each.healthy for each in found)
    entries = call.workspace.ledger.entries() if found[0].healthy else []
    lines = [f"{'ok ' if each.healthy else 'BAD'} {each.part:<10} {each.message}" for each in found]
    content = {
        "intact": intact,
        "entries": len(entries),
        "head": head_digest(entries),
        "findings": [{"part": f.part, "healthy": f.healthy, "message": f.message} for f in found],
    }
    call.emit(content, text="\n".join(lines))
    if not intact:
        raise typer.Exit(1)


def _verify_one(call: Call, directory: Path) -> None:
    from infra.signing import verify_release
    from tasks.deploy.audit import history

    workspace = call.workspace
    directory = directory.absolute()
    entries = workspace.ledger.intact()
    with verify_release(directory, trust=workspace.trust, store=workspace.store) as verified:
        digest, files = verified.digest, len(verified.manifest.files) + len(verified.manifest.base.files)
    past = history(entries, digest)
    lines = [f"{files} files and signatures of {digest} verified", *map(_said, past)]
    if not past:
        lines.append("the ledger does not know it: it was never entered, and is not served")
    content = {
        "release": digest,
        "files": files,
        "history": [
            {"seq": e.seq, "time": e.time, "kind": str(e.kind), "actor": e.actor, "reason": e.reason}
            for e in past
        ],
    }
    call.emit(content, text="\n".join(lines))
    if not past:
        raise typer.Exit(1)


def _said(entry: "Entry") -> str:
    return f"{entry.seq:>5}  {entry.time[:19]}  {entry.kind:<18} {entry.actor}: {entry.reason}"


@app.command()
@in_project
def export(
    call: Call,
    output: Annotated[Path, typer.Option("--output", help="Archive to write.")] = Path("assay-audit.tar"),
    weights: Annotated[bool, typer.Option("--weights", help="The adapters' weights too.")] = False,
) -> None:
    """One archive that an outsider checks with Python and OpenSSL alone; its README says how."""
    from tasks.deploy.audit import export_archive

    names = export_archive(call.workspace, output, weights=weights)
    text = f"{output}: {len(names)} files\n  → tar -xf {output} && python3 check.py"
    call.emit({"file": str(output), "files": names}, text=text)


@app.command()
@in_project
def checkpoint(
    call: Call,
    reason: Annotated[
        str, typer.Option("--reason", help="How the signed entries or the checkpoint were lost.")
    ],
) -> None:
    """Sign the ledger as it is, after its checkpoint or its newest entries were lost; kept in the ledger."""
    from infra.errors import ConfigError
    from infra.ledger import Kind, check_chain, local_actor

    if len(reason.strip()) < 3:
        raise ConfigError("a new start needs a reason", hint="--reason 'what was lost, and how'")
    ledger, checkpoints = call.workspace.ledger, call.workspace.checkpoints
    entries = ledger.entries()
    check_chain(entries)
    made = checkpoints.restart(entries)
    ledger.append(
        Kind.NOTE,
        project=call.workspace.project.name,
        subject="ledger",
        actor=local_actor(),
        reason=reason,
        details={"checkpoint_restarted_at": made.size},
    )
    text = f"signed anew: {made.size} entries, head {made.head}; the reason is in the ledger"
    call.emit({"size": made.size, "head": made.head}, text=text)


@app.command()
@in_project
def decisions(call: Call) -> None:
    """Prove the newest decision about every release again, from its signatures; exit 1 if one is not."""
    from tasks.deploy.voting.audit import audit_decisions

    rows = audit_decisions(call.workspace)
    words = {True: "proven", False: "NOT PROVEN"}
    lines = [f"{r.release[7:19]}  {r.decision:<9} {words[r.proven]:<11} {r.detail}" for r in rows]
    call.emit([row.model_dump(mode="json") for row in rows], text="\n".join(lines) or "no decisions yet")
    if not all(row.proven for row in rows):
        raise typer.Exit(1)
