"""A clean-up beside real preparations: what a version needs stays, also when the clean-up is killed."""

from pathlib import Path

import pytest

from infra.config import load_project
from infra.config.data import DataSettings
from infra.ledger import Ledger
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.develop.cleaning import Removable, remove, unreferenced
from tasks.develop.versions import prepare
from tasks.records import DatasetVersion
from tests.integration.killed import survives
from tests.unit.tasks.develop.datasets.synthetic import write_lines


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    project = load_project(environ={"ASSAY_HOME": str(home)})
    write_lines(tmp_path / "rows.jsonl")
    data = DataSettings.model_validate(
        {
            "source": "jsonl", "path": tmp_path / "rows.jsonl", "licence": "MIT", "group_column": "actor",
            "min_rows": 20, "languages": [],
            "split": {"test_per_label": 6, "validation_per_label": 4, "train_per_label": 40},
        }
    )  # fmt: skip
    project = project.model_copy(update={"data": data})
    return Workspace("default", project, FileStore(home / "store"), Ledger(project.ledger_url))


def with_data(workspace: Workspace, **changes: object) -> Workspace:
    data = workspace.project.data.model_copy(update=changes)
    project = workspace.project.model_copy(update={"data": data})
    return Workspace(workspace.name, project, workspace.store, workspace.ledger)


def names(found: list[Removable]) -> set[str]:
    return {each.digest for each in found}


def test_a_prepared_version_keeps_every_table_it_has(workspace: Workspace) -> None:
    dataset = prepare(workspace)
    for outdated in (False, True):
        assert remove(workspace, outdated=outdated) == []
    again = prepare(workspace)
    assert again == dataset, "seconds of every stage included: no stage was done again"


def tables(dataset: DatasetVersion) -> set[str]:
    return {stage.table for stage in dataset.stages}


def test_an_outdated_version_keeps_its_rows_and_loses_its_stages(workspace: Workspace) -> None:
    old = prepare(with_data(workspace, near_duplicate_similarity=None))
    new = prepare(workspace)
    assert old.digest != new.digest
    assert remove(workspace, outdated=False) == [], "a step refers to it"
    removed = names(remove(workspace, outdated=True))
    assert removed == tables(old) - tables(new) - set(old.splits.values())
    assert removed
    for dataset in (old, new):
        assert all(workspace.store.get_bytes(digest) for digest in dataset.splits.values())
    assert prepare(workspace) == new
    again = prepare(with_data(workspace, near_duplicate_similarity=None))
    assert (again.digest, again.splits) == (old.digest, old.splits), "stages without their table run again"


def test_an_outdated_version_that_was_handed_over_keeps_its_stages(workspace: Workspace) -> None:
    old = prepare(with_data(workspace, near_duplicate_similarity=None))
    workspace.handover.put("developed", old)
    prepare(workspace)
    assert remove(workspace, outdated=True) == []


def test_the_last_version_of_another_project_keeps_its_stages(workspace: Workspace) -> None:
    other = with_data(workspace, near_duplicate_similarity=None)
    renamed = Workspace(
        "other", other.project.model_copy(update={"name": "other"}), workspace.store, workspace.ledger
    )
    prepare(renamed)
    prepare(workspace)
    assert remove(workspace, outdated=True) == []


def test_a_kill_anywhere_loses_nothing_that_is_used(workspace: Workspace) -> None:
    old = prepare(with_data(workspace, near_duplicate_similarity=None))
    new = prepare(workspace)
    due = names(unreferenced(workspace, outdated=True))
    kills = 0
    while not survives(
        lambda: remove(workspace, outdated=True), kills + 1, lambda event, _: event == "os.remove"
    ):
        kills += 1
        assert prepare(workspace) == new
        assert all(workspace.store.get_bytes(digest) for digest in old.splits.values())
        assert names(unreferenced(workspace, outdated=True)) <= due
        assert kills < 50
    assert kills >= 2
    assert not any(workspace.store.has(digest) for digest in due)
    assert unreferenced(workspace, outdated=True) == []
