"""The whole preparation on two Dask workers, one of them killed: the same data set as in this process."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infra.config import load_project
from infra.config.project import Project
from infra.handover import Shelf
from infra.scale import Map, mapper
from infra.store import FileStore
from tasks.develop.datasets import prepare_dataset, tables
from tests.unit.tasks.develop.datasets.synthetic import write_lines

PROJECT = """
name: letters
title: Letters
data:
  source: jsonl
  path: rows.jsonl
  licence: MIT
  group_column: actor
  min_rows: 20
  languages: []
  split: {test_per_label: 6, validation_per_label: 4, train_per_label: 40}
scale: {engine: dask, workers: 2}
base:
  candidates:
    - {name: tiny, source: "path:/base", licence: Apache-2.0, digest: "sha256:%s"}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project.yaml").write_text(PROJECT % ("0" * 64))
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/embedded.yaml").write_text("{}\n")
    write_lines(tmp_path / "rows.jsonl")
    return load_project(environ={"ASSAY_HOME": str(tmp_path / "home"), "ASSAY_CONFIGS": str(tmp_path)})


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables.chunks, "__defaults__", (24,))


def at_work(seen: Path, stage: int, function: Callable[[Any], Any], item: tuple[int, Any]) -> Any:
    """The stage's own work on one chunk, in a worker that first says which process is at it."""
    number, chunk = item
    (seen / f"{stage}-{number}-{os.getpid()}").touch()
    time.sleep(0.05)
    return function(chunk)


class Watched:
    """The configured map, whose calls leave a file for every chunk that a worker began."""

    def __init__(self, map_items: Map, seen: Path) -> None:
        self.map_items, self.seen, self.calls = map_items, seen, 0

    def __call__(self, function: Callable[[Any], Any], chunks: Iterable[Any], /) -> list[Any]:
        self.calls += 1
        return self.map_items(partial(at_work, self.seen, self.calls, function), enumerate(chunks))


def begun(seen: Path) -> Iterator[tuple[int, int, int]]:
    """Stage, chunk and process of every chunk begun, oldest first."""
    for file in sorted(seen.iterdir(), key=lambda file: file.stat().st_mtime_ns):
        stage, number, pid = map(int, file.name.split("-"))
        yield stage, number, pid


def kill_in_stage(stage: int, seen: Path, killed: list[int]) -> None:
    """SIGKILL to the worker of the third chunk of a stage, while others still wait."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        of_stage = [pid for at, _, pid in begun(seen) if at == stage]
        if len(of_stage) >= 3:
            os.kill(of_stage[-1], signal.SIGKILL)
            killed.append(of_stage[-1])
            return
        time.sleep(0.005)


@pytest.mark.usefixtures("small_chunks")
def test_a_worker_killed_in_a_stage_changes_nothing(project: Project, tmp_path: Path) -> None:
    (seen := tmp_path / "seen").mkdir()
    here = prepare_dataset(project, FileStore(tmp_path / "here"))
    killed: list[int] = []
    killer = threading.Thread(target=kill_in_stage, args=(2, seen, killed))
    killer.start()
    with mapper(project.scale) as map_items:
        watched = Watched(map_items, seen)
        there = prepare_dataset(project, FileStore(tmp_path / "there"), map_chunks=watched)
    killer.join()

    assert killed, "a worker was killed while chunks of the stage were waiting"
    assert (there.digest, there.content, there.splits) == (here.digest, here.content, here.splits)
    assert (there.dropped, there.quality) == (here.dropped, here.quality)
    assert [report.key for report in there.stages] == [report.key for report in here.stages]
    chunks = list(begun(seen))
    assert os.getpid() not in {pid for _, _, pid in chunks}, "every chunk was worked on in a worker"
    assert len({pid for _, _, pid in chunks}) >= 3, "two workers, and the one that took the dead one's place"
    assert watched.calls == len({stage for stage, _, _ in chunks}) >= 5
    in_stage = [number for stage, number, _ in chunks if stage == 2]
    assert len(in_stage) > len(set(in_stage)), "what the dead worker was at ran again elsewhere"


@pytest.mark.usefixtures("small_chunks")
def test_stages_finished_on_one_engine_are_not_done_again_on_the_other(
    project: Project, tmp_path: Path
) -> None:
    store, shelf = FileStore(tmp_path / "store"), Shelf(tmp_path / "shelf")
    with mapper(project.scale) as map_items:
        there = prepare_dataset(project, store, shelf, map_chunks=map_items)

    def refuse(*_: Any) -> Any:
        raise AssertionError("a finished stage was done again")

    assert prepare_dataset(project, store, shelf, map_chunks=refuse) == there
