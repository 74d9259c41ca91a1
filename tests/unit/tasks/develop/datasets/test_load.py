from pathlib import Path

import pyarrow as pa
import pytest

from infra.digest import digest_bytes, digest_table
from infra.errors import DataError, IntegrityError
from infra.store import FileStore
from tasks.develop.datasets import load_split
from tasks.develop.datasets.tables import COLUMNS, parquet_bytes
from tasks.records import DatasetVersion, QualityReport, Row

ROWS = [
    Row(text="a", label="x", group="1", licence="MIT", source="s"),
    Row(text="b", label="y", group="2", licence="MIT", source="s"),
]
PASSED = QualityReport(passed=True, expectations=3, failed=(), rows={"train": 2})


def dataset(store: FileStore, quality: QualityReport = PASSED, rows: list[Row] = ROWS) -> DatasetVersion:
    table = pa.table({name: [getattr(row, name) for row in rows] for name in COLUMNS})
    return DatasetVersion(
        name="d",
        digest=digest_bytes(b"d"),
        splits={"test": store.put_bytes(parquet_bytes(table))},
        content={"test": digest_table(table)},
        rows={"test": len(rows)},
        labels=("x", "y"),
        source="s",
        licence="MIT",
        notice="",
        dropped={},
        quality=quality,
    )


def test_a_data_set_that_failed_its_checks_cannot_be_loaded(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    failed = QualityReport(passed=False, expectations=3, failed=("train: too few",), rows={})
    with pytest.raises(DataError, match="train: too few"):
        load_split(store, dataset(store, failed), "test")


def test_altered_bytes_are_refused(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    version = dataset(store)
    path = store.path_of(version.splits["test"])
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError, match="was altered in the store"):
        load_split(store, version, "test")


def test_other_content_under_a_right_store_digest_is_refused(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    version, other = dataset(store), dataset(store, rows=ROWS[:1])
    with pytest.raises(IntegrityError, match="expected sha256:"):
        load_split(store, version.model_copy(update={"splits": other.splits}), "test")


def test_bytes_that_are_no_parquet_are_refused(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    version = dataset(store).model_copy(update={"splits": {"test": store.put_bytes(b"no")}})
    with pytest.raises(IntegrityError, match="not readable Parquet"):
        load_split(store, version, "test")


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert load_split(store, dataset(store), "test") == ROWS
