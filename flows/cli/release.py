"""`assay release …`: look at releases, compare, verify, decide, roll back."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.environment import enter_stack
from flows.cli.output import Json, ProfileOption, ProjectOption, emit, explained
from infra.digest import hex_of
from infra.errors import DataError

if TYPE_CHECKING:
    from infra.ledger import ProjectState, ReleaseState
    from infra.workspace import Workspace

app = typer.Typer(no_args_is_help=True)

ReleaseArgument = Annotated[
    str, typer.Argument(help="Release (or unit) digest, the start of its hex digits, or `champion`.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; goes into the ledger.")]
Person = Annotated[str | None, typer.Option("--as", help="Who decides; default: you on this machine.")]


def _open(project: str, profile: str) -> "Workspace":
    from infra.workspace import open_workspace

    return open_workspace(project, profile)


def resolve(state: "ProjectState", name: str) -> str:
    """The one subject that starts with these digits, or `champion`; raises DataError for none or several.

    A release is also found by its unit, which is what its card can name: the newest one of that unit.
    """
    if name == "champion" and state.champion is not None:
        return state.champion
    digits = name.removeprefix("sha256:").lower()
    found = [known for known in state.releases if hex_of(known).startswith(digits)] if digits else []
    found = found or _of_unit(state, digits)
    if len(found) != 1:
        problem = "unknown release" if not found else f"{len(found)} releases start with"
        raise DataError(f"{problem} {name!r}", hint="see `assay release list`")
    return found[0]


def _of_unit(state: "ProjectState", digits: str) -> list[str]:
    units: dict[str, list[ReleaseState]] = {}
    for known in state.releases.values():
        unit = str(known.details.get("unit", "")).removeprefix("sha256:")
        if digits and unit.startswith(digits):
            units.setdefault(unit, []).append(known)
    return [max(same, key=lambda each: each.seq).release for same in units.values()]


@app.command("list")
def list_releases(
    project: ProjectOption = "default", profile: ProfileOption = "embedded", as_json: Json = False
) -> None:
    """All releases and blocked candidates, oldest first."""
    with explained(as_json):
        state = _open(project, profile).state()
        known = sorted(state.releases.values(), key=lambda r: r.seq)
        lines = [f"{r.release}  {r.state:<18} {r.since[:16]}  {r.actor}: {r.reason}" for r in known]
        rows = [
            {"release": r.release, "state": r.state, "since": r.since, "actor": r.actor, "reason": r.reason}
            for r in known
        ]
        emit(rows, as_json=as_json, text="\n".join(lines) or "no releases yet")


@app.command()
def show(
    release: ReleaseArgument,
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """One release: what it is made of, its gates, its history."""
    with explained(as_json):
        workspace = _open(project, profile)
        digest = resolve(workspace.state(), release)
        history = [e for e in workspace.ledger.entries() if e.subject == digest]
        state, manifest = workspace.state().of(digest), _manifest(workspace, digest) or {}
        content = {
            "release": digest,
            "state": state,
            "manifest": manifest,
            "history": [
                {"seq": e.seq, "time": e.time, "kind": str(e.kind), "actor": e.actor, "reason": e.reason}
                for e in history
            ],
        }
        lines = [f"release  {digest}", f"state    {state}"]
        for key, value in manifest.items():
            if key != "files":
                lines.append(f"{key:<13}{value if not isinstance(value, dict) else value.get('digest', '')}")
        lines += [f"  {e.seq:>4} {e.time[:19]} {e.kind:<18} {e.actor}: {e.reason}" for e in history]
        emit(content, as_json=as_json, text="\n".join(lines))


def _manifest(workspace: "Workspace", digest: str) -> dict[str, Any] | None:
    file = workspace.releases / hex_of(digest) / "release.json"
    return dict(json.loads(file.read_bytes())) if file.exists() else None


@app.command()
def diff(
    old: ReleaseArgument,
    new: ReleaseArgument,
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """What differs between two releases, field by field."""
    with explained(as_json):
        workspace = _open(project, profile)
        state = workspace.state()
        pair = [_manifest(workspace, resolve(state, name)) for name in (old, new)]
        if None in pair:
            raise DataError(
                "a blocked candidate has no release directory to compare", hint="compare two releases"
            )
        before, after = (_flat(manifest or {}) for manifest in pair)
        changes = {
            key: {"old": before.get(key), "new": after.get(key)}
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        }
        lines = [f"{key}\n  - {each['old']}\n  + {each['new']}" for key, each in changes.items()]
        emit(changes, as_json=as_json, text="\n".join(lines) or "no difference")


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        flat.update(_flat(inner, f"{prefix}{key}.") if isinstance(inner, dict) else {f"{prefix}{key}": inner})
    return flat


@app.command()
def verify(
    release: ReleaseArgument,
    at_least_sequence: Annotated[
        int, typer.Option(min=1, help="Newest sequence that you know; an older release is refused.")
    ] = 1,
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """Check every byte and signature of a release, as the model server does before it loads one."""
    from infra.signing import Expectation, restored_release, verify_release

    with explained(as_json):
        workspace = _open(project, profile)
        digest = resolve(workspace.state(), release)
        directory = workspace.releases / hex_of(digest)
        name = workspace.project.name
        restored = restored_release(workspace.ledger.entries(), name)
        expect = Expectation(digest, name, at_least_sequence, restored)
        with verify_release(
            directory, trust=workspace.trust, store=workspace.store, expect=expect
        ) as verified:
            files = len(verified.manifest.files) + len(verified.manifest.base.files)
            emit(
                {"release": digest, "files": files, "verified": True},
                as_json=as_json,
                text=f"verified: {files} files, signatures and base model of {digest}",
            )


@app.command()
def picture(
    release: ReleaseArgument,
    output: Annotated[Path, typer.Option("--output", help="SVG file to write.")] = Path("release.svg"),
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """Draw a release's card as one SVG: verdict, gates, accuracy with intervals, loss curve."""
    from infra import atomic
    from tasks.deploy.card.content import read_card
    from tasks.deploy.card.picture import card_picture

    with explained(as_json):
        workspace = _open(project, profile)
        digest = resolve(workspace.state(), release)
        file = workspace.releases / hex_of(digest) / "card.json"
        if not file.exists():
            raise DataError(f"{digest} has no card", hint="only packaged releases have one")
        atomic.write_text(output.absolute(), card_picture(read_card(file.read_bytes())), mode=0o644)
        emit({"release": digest, "file": str(output)}, as_json=as_json, text=str(output))


@app.command()
def rollback(
    reason: Reason,
    to: Annotated[
        str | None, typer.Option("--to", help="Release to restore; default: the one before.")
    ] = None,
    person: Person = None,
    project: ProjectOption = "default",
    profile: ProfileOption = "embedded",
    as_json: Json = False,
) -> None:
    """Serve the previous champion again; seconds, no failed request in between."""
    import time

    from infra.ledger import local_actor
    from infra.locks import hold
    from infra.stack import endpoints
    from tasks.deploy.rollback import LOCK_WAIT_S, roll_back

    with explained(as_json):
        workspace = _open(project, profile)
        running = endpoints(workspace.home)
        enter_stack(workspace.home, running)
        asked, name = time.monotonic(), f"deploy-{workspace.project.name}"
        with hold(workspace.run, name, "assay release rollback", wait_s=LOCK_WAIT_S):
            started = time.monotonic()
            target = resolve(workspace.state(), to) if to else None
            served = roll_back(workspace, running, actor=person or local_actor(), reason=reason, to=target)
            seconds = time.monotonic() - started
            lagging = _project_aliases(workspace, served)
        waited = started - asked
        text = f"live again after {seconds:.1f} s: {served.release}"
        if waited >= 1:
            text += f" (waited {waited:.1f} s before that for another deploy to end)"
        if lagging:
            text += f"\nMLflow aliases lag behind: {lagging}\n  → assay doctor --repair"
        content = {
            **served.model_dump(mode="json"),
            "seconds": round(seconds, 2),
            "waited_s": round(waited, 2),
            "aliases": lagging or "moved",
        }
        emit(content, as_json=as_json, text=text)


def _project_aliases(workspace: "Workspace", served: Any) -> str:
    """Move the aliases; what is served does not depend on them, so their failure is reported, not raised."""
    from infra.errors import AssayError

    try:
        from tasks.deploy.aliases import move_aliases

        move_aliases(workspace, served)
    except AssayError as error:
        return error.message
    return ""
