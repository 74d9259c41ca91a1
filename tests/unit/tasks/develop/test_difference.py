"""Two versions compared, and versions found again."""

from pathlib import Path
from typing import Any

import pytest

from infra.config import load_project
from infra.errors import DataError, IntegrityError
from infra.ledger import Ledger
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.develop.datasets.tables import put_table
from tasks.develop.difference import Difference, compare
from tasks.develop.versions import PreparedVersion, find_version, project_of, remember, versions
from tasks.records import SplitName
from tests.unit.tasks.develop.quality.samples import dataset, stage
from tests.unit.tasks.develop.quality.tables import Cells, row, table

OTHER = "sha256:" + "b" * 64


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    project = load_project("weakness", environ={"ASSAY_HOME": str(tmp_path / "home")})
    return Workspace("weakness", project, FileStore(tmp_path / "store"), Ledger(project.ledger_url))


def version(store: FileStore, rows: dict[SplitName, list[Cells]], **changes: Any) -> PreparedVersion:
    splits = {name: put_table(store, table(cells)) for name, cells in rows.items()}
    sizes = {name: len(cells) for name, cells in rows.items()}
    settings = changes.pop("settings", {"seed": 0, "same": 1})
    made = dataset(splits=splits, rows=sizes, **changes)
    return PreparedVersion(dataset=made, settings=settings, project="Letters", prepared="2026-01-01T00:00:00")


def difference(store: FileStore, **changes: Any) -> Difference:
    old = version(store, {"train": [row(0), row(1), row(2), row(3)], "test": [row(9)]})
    rows: dict[SplitName, list[Cells]] = {
        "train": [row(0), row(1, label="a"), row(7)],
        "test": [row(9), row(2)],
    }
    return compare(store, old, version(store, rows, digest=OTHER, **changes))


def test_rows_are_added_removed_moved_and_relabelled(tmp_path: Path) -> None:
    found = difference(FileStore(tmp_path))
    assert found.added == {"train": {"b": 1}}
    assert found.removed == {"train": {"b": 1}}
    assert found.moved == {"train → test": 1}
    assert found.relabelled == {"b → a": 1}
    assert found.rows == {"train": (4, 3), "validation": (0, 0), "test": (1, 2)}
    assert sorted(each.text[-1] for each in found.texts) == ["1", "2", "3", "7"]


def test_without_its_texts_a_difference_holds_no_text(tmp_path: Path) -> None:
    assert "text number" not in difference(FileStore(tmp_path)).model_dump_json(exclude={"texts"})


def test_settings_and_stages_that_differ_are_named_and_others_are_not(tmp_path: Path) -> None:
    stages = (
        stage("read", 25, {"empty text": 2}),
        stage("pii", 23, {}),
        stage("language", 23, {"not English": 4}),
    )
    found = difference(FileStore(tmp_path), settings={"seed": 1, "same": 1}, stages=stages)
    assert found.settings == {"seed": (0, 1)}
    changed = {each.name: each for each in found.stages}
    assert set(changed) == {"duplicates", "language"}
    assert changed["language"].rows_out == (None, 19)
    assert changed["duplicates"].rows_out == (18, None)


def test_the_same_version_has_no_difference(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    same = version(store, {"train": [row(0)], "test": [row(1)]})
    found = compare(store, same, same)
    assert found.empty
    assert (found.settings, found.stages, found.added, found.removed) == ({}, (), {}, {})


def test_a_split_that_the_store_lost_is_refused(tmp_path: Path) -> None:
    kept, empty = FileStore(tmp_path / "a"), FileStore(tmp_path / "b")
    same = version(kept, {"train": [row(0)], "test": [row(1)]})
    with pytest.raises(IntegrityError):
        compare(empty, same, same)


def test_versions_are_found_by_their_first_digits_and_as_the_latest(workspace: Workspace) -> None:
    first, second = dataset(), dataset(digest=OTHER)
    remember(workspace, first)
    remember(workspace, second)
    assert [each.dataset.digest for each in versions(workspace)] == [first.digest, OTHER]
    assert find_version(workspace, "latest").dataset == second
    assert find_version(workspace, first.digest).dataset == first
    assert find_version(workspace, OTHER[7:12]).dataset == second
    remember(workspace, first)
    assert find_version(workspace, "latest").dataset == first
    assert len(versions(workspace)) == 2


@pytest.mark.parametrize("name", ["feed", "", "sha256:", "../../ledger"])
def test_unknown_versions_are_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(DataError, match="no data set was prepared"):
        find_version(workspace, name)
    remember(workspace, dataset())
    with pytest.raises(DataError, match="no prepared version starts with"):
        find_version(workspace, name)


def test_an_ambiguous_name_is_refused(workspace: Workspace) -> None:
    remember(workspace, dataset(digest=OTHER))
    remember(workspace, dataset(digest=OTHER[:-1] + "c"))
    with pytest.raises(DataError, match="2 versions start with"):
        find_version(workspace, "bbbb")


def test_an_altered_entry_is_refused(workspace: Workspace) -> None:
    remember(workspace, dataset())
    (file,) = (workspace.home / "datasets" / workspace.project.name).glob("*.json")
    file.write_text(file.read_text().replace("rows.jsonl", "other.jsonl"))
    with pytest.raises(IntegrityError, match="altered"):
        find_version(workspace, "latest")


def test_a_version_brings_its_own_settings(workspace: Workspace) -> None:
    remember(workspace, dataset())
    kept = find_version(workspace, "latest")
    assert project_of(workspace, kept).data == workspace.project.data
    foreign = kept.model_copy(update={"settings": {"source": "gone"}})
    with pytest.raises(DataError, match="settings that this release does not know"):
        project_of(workspace, foreign)
