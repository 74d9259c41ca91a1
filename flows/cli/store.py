"""`assay store …`: what it can do, a bucket made ready, releases archived, what is not used any more."""

import re
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.project import Call, in_project
from flows.cli.release import ReleaseArgument, resolve

if TYPE_CHECKING:
    from tasks.develop.cleaning import Removable

app = typer.Typer(no_args_is_help=True)


@app.command()
@in_project
def check(call: Call) -> None:
    """Say where the store is and whether it can do what the settings ask of it, tried now."""
    text = call.workspace.store.describe()
    call.emit({"store": text}, text=text)


@app.command("init-bucket")
@in_project
def init_bucket(
    call: Call,
    create: Annotated[bool, typer.Option("--create", help="Make the bucket when it is not there.")] = False,
) -> None:
    """Let the bucket drop unfinished uploads, and say what else it can do; a second time changes nothing."""
    from infra.errors import ConfigError
    from infra.store.s3 import S3Store, prepare_bucket

    store = call.workspace.store
    if not isinstance(store, S3Store):
        raise ConfigError("the store is a directory", hint="set `store: s3://bucket/prefix` in the profile")
    lines = prepare_bucket(store.bucket, create=create)
    call.emit({"bucket": store.bucket.uri, "lines": lines}, text="\n".join([store.bucket.uri, *lines]))


@app.command()
@in_project
def archive(call: Call, release: ReleaseArgument = "champion") -> None:
    """Put a release into the bucket, locked as `s3.lock_mode` says, to be found by its digest."""
    from dataclasses import asdict

    from tasks.deploy.archive import archive_release

    done = archive_release(call.workspace, resolve(call.workspace.state(), release))
    kept = f"cannot be deleted until {done.kept_until}" if done.kept_until else "not locked"
    call.emit(asdict(done), text=f"{done.release}\narchived as {done.tree}, {kept}")


@app.command()
@in_project
def restore(call: Call, release: ReleaseArgument = "champion") -> None:
    """Bring a release back, verified; one that the ledger does not know by its whole digest."""
    from tasks.deploy.archive import restore_release

    whole = re.fullmatch(r"sha256:[0-9a-f]{64}", release) is not None
    digest = release if whole else resolve(call.workspace.state(), release)
    directory = restore_release(call.workspace, digest)
    call.emit({"directory": str(directory)}, text=str(directory))


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
