"""What a clean-up of the store must never take, and what it may."""

import contextlib
import json
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from infra.config import load_project
from infra.digest import digest_bytes, hex_of
from infra.errors import ConfigError, IntegrityError, Unavailable
from infra.ledger import Kind, Ledger
from infra.locks import hold
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.develop.cleaning import Removable, remove, unreferenced
from tasks.develop.versions import STORE_LOCK, prepare


def parquet(name: str) -> bytes:
    """Bytes that look like a table; only their beginning is looked at."""
    return b"PAR1" + name.encode() + b"PAR1"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    project = load_project(environ={"ASSAY_HOME": str(home)})
    return Workspace("default", project, FileStore(home / "store"), Ledger(project.ledger_url))


def names(found: list[Removable]) -> set[str]:
    return {each.digest for each in found}


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


PLACES = [
    "handover/triage/embedded/developed.json",
    "handover/other/production/finetuned.json",
    "steps/vectors/0001.json",
    "steps/data/quality/0001.json",
    "steps/data/pii/unreadable.json",
    "steps/data/pii/deeper/0001.json",
    "datasets/triage/unreadable.json",
    "datasets/other/unreadable.json",
    "releases/0001/release.json",
    "releases/0001/attestations/gates.sigstore.json",
    "work/candidate.json",
    f"store/trees/{'0' * 64}/config.json",
]


@pytest.mark.parametrize("outdated", [False, True])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "form", ['{{"table": "sha256:{0}"}}', "{0}", 'x="/store/{0}.parquet"\n', "\\xff {0}"]
)
def test_what_is_named_anywhere_stays(workspace: Workspace, place: str, form: str, outdated: bool) -> None:
    digest, free = (workspace.store.put_bytes(parquet(name)) for name in ("kept", "free"))
    write(workspace.home / place, form.format(hex_of(digest)))
    assert names(remove(workspace, outdated=outdated)) == {free}
    assert workspace.store.get_bytes(digest) == parquet("kept")
    assert not workspace.store.has(free)


@pytest.mark.parametrize("outdated", [False, True])
def test_what_an_object_or_the_ledger_names_stays(workspace: Workspace, outdated: bool) -> None:
    named, subject, detail = (workspace.store.put_bytes(parquet(name)) for name in "abc")
    workspace.store.put_bytes(json.dumps({"of": named}).encode())
    workspace.ledger.append(
        Kind.CANDIDATE,
        project="other",
        subject=subject,
        actor="test",
        reason="r",
        details={"deep": [{"er": detail}]},
    )
    assert remove(workspace, outdated=outdated) == []
    assert all(workspace.store.has(digest) for digest in (named, subject, detail))


def test_only_tables_go(workspace: Workspace, tmp_path: Path) -> None:
    store = workspace.store
    other = [store.put_bytes(data) for data in (b"", b"PAR", b"\x93NUMPY", b"{}", b" PAR1")]
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/rows.parquet").write_bytes(parquet("in a tree"))
    tree = store.put_tree(tmp_path / "tree")
    write(workspace.home / "releases/0001/rows.parquet", "PAR1")
    assert remove(workspace, outdated=True) == []
    assert all(store.has(digest) for digest in other)
    store.open_tree(tree)
    assert (workspace.home / "releases/0001/rows.parquet").exists()


def test_listing_removes_nothing(workspace: Workspace) -> None:
    digest = workspace.store.put_bytes(parquet("free"))
    assert unreferenced(workspace, outdated=True) == [Removable(digest, len(parquet("free")), ())]
    assert workspace.store.has(digest)


@contextlib.contextmanager
def held_elsewhere(workspace: Workspace, lock: str, holder: str, *, shared: bool = False) -> Iterator[None]:
    """Another process holds a lock meanwhile."""
    child = os.fork()
    if child == 0:
        with hold(workspace.run, lock, holder, shared=shared):
            (workspace.home / "held").touch()
            signal.pause()
        os._exit(0)
    try:
        while not (workspace.home / "held").exists():
            time.sleep(0.01)
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


@pytest.mark.parametrize("lock", [STORE_LOCK, "lifecycle-triage", "deploy-triage", "lifecycle-elsewhere"])
def test_nothing_is_removed_while_a_run_is_at_work(workspace: Workspace, lock: str) -> None:
    digest = workspace.store.put_bytes(parquet("free"))
    with held_elsewhere(workspace, lock, "a run", shared=lock == STORE_LOCK):
        with pytest.raises(Unavailable, match="a run"):
            remove(workspace, outdated=True)
        assert workspace.store.has(digest)
        assert names(unreferenced(workspace, outdated=True)) == {digest}
    assert names(remove(workspace, outdated=True)) == {digest}


def test_no_preparation_starts_during_a_clean_up(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.develop.versions._CLEANING_S", 0.2)
    with (
        held_elsewhere(workspace, STORE_LOCK, "assay store clean"),
        pytest.raises(Unavailable, match="assay store clean"),
    ):
        prepare(workspace)


def test_a_broken_ledger_stops_it(workspace: Workspace) -> None:
    workspace.ledger.append(Kind.CANDIDATE, project="p", subject=digest_bytes(b"x"), actor="test", reason="r")
    digest = workspace.store.put_bytes(parquet("free"))
    with sqlite3.connect(workspace.home / "ledger.db") as database:
        database.execute("UPDATE ledger SET actor = 'someone else'")
    with pytest.raises(IntegrityError):
        remove(workspace, outdated=True)
    assert workspace.store.has(digest)


def test_a_store_elsewhere_is_not_cleaned_from_here(workspace: Workspace, tmp_path: Path) -> None:
    elsewhere = Workspace("default", workspace.project, FileStore(tmp_path / "shared"), workspace.ledger)
    digest = elsewhere.store.put_bytes(parquet("of others"))
    with pytest.raises(ConfigError, match="not below"):
        remove(elsewhere, outdated=True)
    assert elsewhere.store.has(digest)


@pytest.mark.parametrize("error", [PermissionError, OSError])
@pytest.mark.parametrize("call", ["os.scandir", "pathlib.Path.read_bytes"])
def test_what_cannot_be_read_stops_it(
    workspace: Workspace, call: str, error: type[OSError], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = workspace.store.put_bytes(parquet("free"))
    write(workspace.home / "handover/triage/embedded/developed.json", "{}")

    def refuse(path: Path) -> NoReturn:
        raise error("refused")

    with monkeypatch.context() as patch:
        patch.setattr(call, refuse)
        with pytest.raises(Unavailable, match="refused"):
            remove(workspace, outdated=True)
    assert workspace.store.has(digest)


def test_links_to_elsewhere_are_followed(workspace: Workspace, tmp_path: Path) -> None:
    digest = workspace.store.put_bytes(parquet("kept"))
    write(tmp_path / "elsewhere/deep/developed.json", digest)
    (workspace.home / "handover").mkdir()
    (workspace.home / "handover/triage").symlink_to(tmp_path / "elsewhere")
    assert remove(workspace, outdated=True) == []
