"""Stages are done once: kept by input, settings and code, refused when altered, done again when lost."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.config.data import DataSettings, SplitSettings
from infra.digest import digest_bytes
from infra.errors import DataError, IntegrityError
from infra.handover import Shelf
from infra.store import FileStore
from tasks.develop.datasets.prepare import stages
from tasks.develop.datasets.stages import Line, Outcome, Stage, stage_key
from tasks.develop.datasets.tables import ChunkMap, chunks, map_here, parquet_bytes
from tasks.records.data import StageReport
from tests.unit.tasks.develop.datasets.samples import texts_table

START = texts_table(["a", "b", "c"])
CODE = ("tasks.develop.datasets.rows",)


class Work:
    """A stage that counts how often it ran, and loses one row each time."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.ran = 0
        self.stage = Stage(name, settings, CODE, self._run)

    def _run(self, table: Any, _map: ChunkMap) -> Outcome:
        self.ran += 1
        return Outcome(table.slice(1), {"first": 1})


def line(root: Path) -> Line:
    made = Line(FileStore(root / "store"), Shelf(root / "shelf"))
    made.begin("read", {}, digest_bytes(b"source"), lambda: (Outcome(START), 3), again=False)
    return made


def test_a_killed_run_goes_on_behind_the_last_finished_stage(tmp_path: Path) -> None:
    one, two = Work("one"), Work("two")
    line(tmp_path).run(one.stage)
    again = line(tmp_path)
    again.run(one.stage)
    again.run(two.stage)
    assert (one.ran, two.ran) == (1, 1)
    assert again.table.column("text").to_pylist() == ["c"]
    assert [(report.name, report.rows_in, report.rows_out) for report in again.reports] == [
        ("read", 3, 3), ("one", 3, 2), ("two", 2, 1),
    ]  # fmt: skip


def test_other_settings_input_or_a_lost_table_make_a_stage_run_again(tmp_path: Path) -> None:
    one, other, later = Work("one", limit=1), Work("one", limit=2), Work("later")
    first = line(tmp_path)
    first.run(one.stage)
    second = line(tmp_path)
    second.run(other.stage)
    assert (one.ran, other.ran) == (1, 1)
    second.run(later.stage)
    Path(FileStore(tmp_path / "store").path_of(first.reports[1].table)).unlink()
    line(tmp_path).run(one.stage)
    assert one.ran == 2


def test_an_altered_table_is_refused(tmp_path: Path) -> None:
    one, two = Work("one"), Work("two")
    first = line(tmp_path)
    first.run(one.stage)
    file = FileStore(tmp_path / "store").path_of(first.reports[1].table)
    file.chmod(0o600)
    file.write_bytes(b"PAR1")
    again = line(tmp_path)
    again.run(one.stage)
    with pytest.raises(IntegrityError, match="altered in the store"):
        again.run(two.stage)


def test_a_stage_that_leaves_nothing_is_named_with_its_reasons(tmp_path: Path) -> None:
    empty = Stage("sieve", {}, CODE, lambda table, _map: Outcome(table.slice(0, 0), {"too odd": 3}))
    with pytest.raises(DataError, match=r"stage sieve: no row is left of 3: too odd 3"):
        line(tmp_path).run(empty)


def test_rows_that_vanish_without_a_reason_are_refused(tmp_path: Path) -> None:
    leaky = Stage("leaky", {}, CODE, lambda table, _map: Outcome(table.slice(1)))
    with pytest.raises(ValidationError, match="3 rows in, but 2 out and 0 dropped"):
        line(tmp_path).run(leaky)


def test_a_key_is_of_input_settings_and_code() -> None:
    before = digest_bytes(b"a")
    keys = {
        stage_key("s", before, {"a": 1}, CODE),
        stage_key("t", before, {"a": 1}, CODE),
        stage_key("s", digest_bytes(b"b"), {"a": 1}, CODE),
        stage_key("s", before, {"a": 2}, CODE),
        stage_key("s", before, {"a": 1}, ("tasks.develop.datasets.words",)),
    }
    assert len(keys) == 5


def test_seconds_are_in_no_key() -> None:
    assert "seconds" in StageReport.model_fields
    settings = [
        stage.settings for stage in stages(DataSettings(source="cwe", licence="x", languages=("en",)))
    ]
    assert not any("seconds" in one for one in settings)


def test_stages_in_their_order_and_without_those_that_are_off() -> None:
    data = DataSettings(source="cwe", licence="x", languages=("en",))
    assert [stage.name for stage in stages(data)] == [
        "normalise", "pii", "duplicates", "near-duplicates", "language", "split", "contamination", "balance",
    ]  # fmt: skip
    off = data.model_copy(update={"languages": (), "near_duplicate_similarity": None})
    assert [stage.name for stage in stages(off)] == [
        "normalise", "pii", "duplicates", "split", "contamination", "balance",
    ]  # fmt: skip


def test_how_many_train_moves_no_row_of_another_split() -> None:
    data = DataSettings(source="cwe", licence="x")
    more = data.model_copy(update={"split": SplitSettings(train_per_label=500)})
    assert [s.name for s, t in zip(stages(data), stages(more), strict=True) if s.settings != t.settings] == [
        "balance"
    ]


def test_stored_bytes_do_not_depend_on_chunks() -> None:
    import pyarrow as pa

    cut = pa.concat_tables([START.slice(0, 1), START.slice(1)])
    assert cut.column("text").num_chunks == 2
    assert parquet_bytes(cut) == parquet_bytes(START)


def test_a_chunk_is_no_view_of_the_whole() -> None:
    import pickle

    long = texts_table(["x" * 1000] * 200)
    part = next(iter(chunks(long, 2)))
    assert len(pickle.dumps(part)) < 10_000
    assert [chunk.num_rows for chunk in map_here(lambda chunk: chunk, chunks(long, 150))] == [150, 50]
