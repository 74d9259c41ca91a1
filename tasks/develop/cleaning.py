"""Stage tables that nothing refers to any more: found, listed, and removed from the store when asked.

found = unreferenced(workspace, outdated=True)     # a list of Removable, nothing is changed
remove(workspace, outdated=True)                    # the same list, gone; waits for nobody

Only Parquet objects of the store are ever removed. One stays when its digest stands anywhere in a handover,
a step's result, a remembered version, a release, the ledger, or another object of the store: whatever says
the digest in any form is taken at its word. `outdated` also lets go of what only the preparation's own
stages refer to, unless they belong to the last version of a project or to one that was handed over; their
records go first, so that a kill leaves at worst a table for the next clean-up. A stage without its table
runs again.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from infra.digest import PREFIX, hex_of
from infra.errors import ConfigError, IntegrityError, Unavailable
from infra.handover import Shelf
from infra.locks import hold
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.develop.versions import STORE_LOCK, PreparedVersion
from tasks.records.data import StageReport

_DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_PARQUET = b"PAR1"
_WEIGHTS = ".safetensors"


@dataclass(frozen=True)
class Removable:
    """A stage table that may go."""

    digest: str
    bytes: int
    records: tuple[Path, ...]
    """Results of stages that name it and go with it."""


@dataclass
class _Mentions:
    """Hex digits that something refers to, and those that only a stage of the preparation names."""

    kept: set[str] = field(default_factory=set)
    stages: dict[str, list[Path]] = field(default_factory=dict)


def unreferenced(workspace: Workspace, *, outdated: bool) -> list[Removable]:
    """What `remove` would remove now.

    Raises IntegrityError when the ledger's chain is broken, ConfigError for a store that others may use,
    Unavailable when something cannot be read: what is not known to be free is not listed.
    """
    store = _own_store(workspace)
    workspace.ledger.verify()
    try:
        tables = {hex_of(digest): size for digest, size in _tables(store)}
        mentions = _mentions(workspace, store, outdated=outdated)
    except OSError as error:
        raise Unavailable(f"cannot be read: {error}", hint="nothing was removed") from error
    return [
        Removable(PREFIX + name, size, tuple(mentions.stages.get(name, ())))
        for name, size in sorted(tables.items())
        if name not in mentions.kept
    ]


def remove(workspace: Workspace, *, outdated: bool) -> list[Removable]:
    """Remove them and say which; raises as `unreferenced`, and Unavailable while a run is at work."""
    store = _own_store(workspace)
    with ExitStack() as locks:
        for name in (STORE_LOCK, *_run_locks(workspace)):
            locks.enter_context(hold(workspace.run, name, "assay store clean"))
        found = unreferenced(workspace, outdated=outdated)
        for each in found:
            for record in each.records:
                record.unlink(missing_ok=True)
        for each in found:
            store.remove(each.digest)
    return found


def _own_store(workspace: Workspace) -> FileStore:
    store = workspace.store
    if not isinstance(store, FileStore) or store.root.resolve() != (workspace.home / "store").resolve():
        raise ConfigError(
            f"store {store.root if isinstance(store, FileStore) else workspace.project.store}"
            f" is not below {workspace.home}",
            hint="others may refer to what lies in it: it is not cleaned from here",
        )
    return store


def _run_locks(workspace: Workspace) -> list[str]:
    """Locks of the runs of every project that has left a trace here."""
    names = {workspace.project.name, *(entry.project for entry in workspace.ledger.entries())}
    for directory in ("handover", "datasets"):
        names |= {path.name for path in _children(workspace.home / directory)}
    present = {path.stem for path in _children(workspace.run) if path.suffix == ".lock"}
    locks = {f"{kind}-{name}" for kind in ("lifecycle", "deploy") for name in names}
    return sorted(locks | {name for name in present if name.startswith(("lifecycle-", "deploy-"))})


def _tables(store: FileStore) -> Iterator[tuple[str, int]]:
    """Digest and size of every Parquet object."""
    for digest in store.digests():
        path = store.path_of(digest)
        with path.open("rb") as file:
            if file.read(len(_PARQUET)) == _PARQUET:
                yield digest, path.stat().st_size


def _mentions(workspace: Workspace, store: FileStore, *, outdated: bool) -> _Mentions:
    home, found = workspace.home, _Mentions()
    for entry in workspace.ledger.entries():
        found.kept |= _digests(repr(entry).encode())
    for directory in ("handover", "releases", "work"):
        found.kept |= _in_files(_files(home / directory))
    for file in _files(home / "steps"):
        report = _stage_report(home / "steps", file) if outdated else None
        if report is None:
            found.kept |= _in_files([file])
        else:
            found.stages.setdefault(hex_of(report.table), []).append(file)
    for project in _children(home / "datasets"):
        found.kept |= _versions(project, outdated=outdated)
    found.kept |= _in_store(store)
    return found


def _stage_report(steps: Path, file: Path) -> StageReport | None:
    """The result of a stage of the preparation; None for any other file, and for one that is not readable."""
    name = file.relative_to(steps).with_suffix("")
    if name.parts[0] != "data" or len(name.parts) != 3 or file.suffix != ".json":
        return None
    try:
        return Shelf(steps).get(str(name), StageReport)
    except IntegrityError:
        return None


def _versions(project: Path, *, outdated: bool) -> set[str]:
    """What the versions of a project refer to; with `outdated` only the last one to its stages' tables."""
    known: dict[Path, PreparedVersion] = {}
    kept: set[str] = set()
    for file in _files(project):
        try:
            version = Shelf(project).get(file.stem, PreparedVersion) if file.parent == project else None
        except IntegrityError:
            version = None
        if version is None or not outdated:
            kept |= _in_files([file])
        else:
            known[file] = version
    last = max((version.prepared for version in known.values()), default="")
    for version in known.values():
        dropped = {"dataset": {"stages"}} if version.prepared != last else None
        kept |= _digests(version.model_dump_json(exclude=dropped).encode())
    return kept


def _in_store(store: FileStore) -> set[str]:
    """Digests that objects and trees of the store name, weights and tables apart."""
    found: set[str] = set()
    for digest in store.digests():
        data = store.path_of(digest).read_bytes()
        if not data.startswith(_PARQUET):
            found |= _digests(data)
    return found | _in_files(_files(store.trees))


def _in_files(files: Iterable[Path]) -> set[str]:
    return set().union(*(_digests(file.read_bytes()) for file in files if file.suffix != _WEIGHTS))


def _digests(data: bytes) -> set[str]:
    return {match.decode() for match in _DIGEST.findall(data)}


def _files(root: Path) -> list[Path]:
    """All files below, links followed; raises OSError for what `Path.rglob` would pass over in silence."""
    if not root.exists():
        return []
    found = os.walk(root, onerror=_refuse, followlinks=True)
    return [
        path for directory, _, names in found for name in names if (path := Path(directory, name)).is_file()
    ]


def _refuse(error: OSError) -> NoReturn:
    raise error


def _children(root: Path) -> list[Path]:
    return sorted(root.iterdir()) if root.is_dir() else []
