"""The whole preparation of a file: the same result whatever the order of rows, resumed after a kill."""

import itertools
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from infra.config import load_project
from infra.config.data import DataSettings
from infra.config.project import Project
from infra.handover import Shelf
from infra.store import FileStore
from tasks.develop.datasets import load_split, load_table, prepare_dataset, tables
from tasks.records import DatasetVersion
from tests.unit.tasks.develop.datasets.synthetic import lines


def project(root: Path, rows: Iterable[str]) -> Project:
    (root / "rows.jsonl").write_text("\n".join(rows))
    data = DataSettings.model_validate(
        {
            "source": "jsonl", "path": root / "rows.jsonl", "licence": "MIT", "group_column": "actor",
            "min_rows": 20, "languages": [],
            "split": {"test_per_label": 6, "validation_per_label": 4, "train_per_label": 40},
        }
    )  # fmt: skip
    loaded = load_project(environ={"ASSAY_HOME": str(root / "home")})
    return loaded.model_copy(update={"data": data})


class Killed(BaseException):
    """Stands for a process that ends in the middle."""


def after(count: int) -> Callable[[Any], None]:
    seen: list[Any] = []

    def watch(report: Any) -> None:
        seen.append(report)
        if len(seen) == count:
            raise Killed

    return watch


def rows_of(store: FileStore, dataset: DatasetVersion) -> dict[str, list[str]]:
    return {split: [row.text for row in load_split(store, dataset, split)] for split in dataset.splits}


def test_order_and_chunks_of_the_rows_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileStore(tmp_path / "store")
    dataset = prepare_dataset(project(tmp_path, lines()), store)
    assert dataset.quality.passed, dataset.quality.failed
    shuffled = lines()
    random.Random(3).shuffle(shuffled)
    monkeypatch.setattr("tasks.develop.datasets.files.CHUNK_ROWS", 7)
    monkeypatch.setattr(tables.chunks, "__defaults__", (7,))
    again = prepare_dataset(project(tmp_path, shuffled), FileStore(tmp_path / "other"))
    assert (again.digest, again.content, again.dropped) == (dataset.digest, dataset.content, dataset.dropped)
    assert again.source_bytes != dataset.source_bytes
    assert set(dataset.dropped) >= {"duplicate", "near duplicate", "same text with several labels"}
    assert any("[redacted:email]" in text for text in rows_of(store, dataset)["train"])
    assert load_table(store, dataset, "test").column_names == list(tables.COLUMNS)
    assert {row.licence for row in load_split(store, dataset, "test")} == {"MIT"}


@pytest.mark.parametrize("finished", [1, 3, 5])
def test_a_killed_run_goes_on_and_gives_the_same(tmp_path: Path, finished: int) -> None:
    settings, store, shelf = (
        project(tmp_path, lines()),
        FileStore(tmp_path / "store"),
        Shelf(tmp_path / "shelf"),
    )
    with pytest.raises(Killed):
        prepare_dataset(settings, store, shelf, watch=after(finished))
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "shelf").rglob("*.json")}
    dataset = prepare_dataset(settings, store, shelf)
    assert all(file.stat().st_mtime_ns == time for file, time in before.items())
    assert len(before) == finished + 1
    whole = prepare_dataset(settings, FileStore(tmp_path / "other"))
    assert whole.digest == dataset.digest
    assert [report.key for report in whole.stages] == [report.key for report in dataset.stages]


def test_the_same_again_does_nothing(tmp_path: Path) -> None:
    settings, store, shelf = (
        project(tmp_path, lines()),
        FileStore(tmp_path / "store"),
        Shelf(tmp_path / "shelf"),
    )
    dataset = prepare_dataset(settings, store, shelf)
    assert prepare_dataset(settings, store, shelf) == dataset
    reports = dataset.stages
    assert reports[0].rows_in == 282
    assert all(one.rows_out == two.rows_in for one, two in itertools.pairwise(reports))
    assert reports[-1].rows_out == sum(dataset.rows.values())
    assert sum(dataset.dropped.values()) == 282 - reports[-1].rows_out
