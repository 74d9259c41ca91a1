"""A directory written by `datasets`, whose import takes seconds."""

from pathlib import Path

import pytest

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets import read_source

SETTINGS = DataSettings(source="hf", path=Path("saved"), licence="MIT")


def save(root: Path, labels: list[int | None], *, parts: bool = False) -> None:
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
    )
    data = datasets.Dataset.from_dict(
        {"text": [f"t{n}" for n in range(len(labels))], "label": labels}, features=features
    )
    (datasets.DatasetDict({"one": data, "two": data}) if parts else data).save_to_disk(str(root / "saved"))


def test_a_directory_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    with pytest.raises(DataError, match="saved: not a saved data set"):
        read_source(SETTINGS, tmp_path)


def test_an_absent_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="saved: no such file or directory"):
        read_source(SETTINGS, tmp_path)


def test_a_class_without_a_name_is_refused_by_row(tmp_path: Path) -> None:
    save(tmp_path, [0, -1])
    with pytest.raises(DataError, match=r"data row 2: column 'label' holds class -1"):
        read_source(SETTINGS, tmp_path)


def test_a_row_without_a_label_is_refused_by_row(tmp_path: Path) -> None:
    save(tmp_path, [0, None])
    with pytest.raises(DataError, match=r"data row 2: column 'label' holds nothing"):
        read_source(SETTINGS, tmp_path)


def test_class_numbers_become_their_names_and_parts_are_joined(tmp_path: Path) -> None:
    save(tmp_path, [0, 1], parts=True)
    found = read_source(SETTINGS, tmp_path)
    assert found.table.column("label").to_pylist() == ["no", "yes", "no", "yes"]
    assert found.info.source == "hf saved"


def test_names_of_parts_are_published_splits_when_asked_for(tmp_path: Path) -> None:
    save(tmp_path, [0, 1], parts=True)
    settings = SETTINGS.model_copy(update={"split_column": "split"})
    with pytest.raises(DataError, match="one row 1: split 'one' is none of"):
        read_source(settings, tmp_path)
