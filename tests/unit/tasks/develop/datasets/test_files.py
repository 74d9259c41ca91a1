import json
from pathlib import Path
from typing import Any

import pytest

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets import read_rows
from tasks.develop.datasets.rows import SourceRows

GOOD = '{"text": "Disk is full", "label": "storage"}\n'


def read(tmp_path: Path, content: bytes | str, source: str = "jsonl", **settings: Any) -> SourceRows:
    file = tmp_path / f"rows.{source}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(DataSettings(source=source, path=Path(file.name), licence="MIT", **settings), tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.jsonl: holds no rows"),
        ("\n \n", "rows.jsonl: holds no rows"),
        (GOOD + "{oops\n", "rows.jsonl:2: malformed JSON"),
        (GOOD + "\n[1]\n", "rows.jsonl:3: got list, expected a JSON object"),
        (GOOD.encode() + b'{"text": "\xff"}', "rows.jsonl:2: byte 0xff is not UTF-8"),
        ('{"txt": "a", "label": "b"}', "rows.jsonl:1: no column 'text', got 'txt', 'label'"),
        (GOOD + '{"text": "a"}', "rows.jsonl:2: no column 'label'"),
        (GOOD + '{"text": "a", "label": null}', "rows.jsonl:2: column 'label' holds nothing"),
        (GOOD + '{"text": "a", "label": " "}', "rows.jsonl:2: column 'label' holds nothing"),
        (GOOD + '{"text": "a", "label": ["b"]}', "rows.jsonl:2: column 'label' holds list"),
        (GOOD + '{"text": 7, "label": "b"}', "rows.jsonl:2: column 'text' holds int"),
        ('{"text": " ", "label": "b"}\n{"text": null, "label": "b"}', "no usable rows"),
    ],
)
def test_bad_json_lines_are_refused_by_line(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content)
    assert message in caught.value.message


def test_an_unknown_label_names_line_and_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows.jsonl:2: label 'storag' is not one of 2") as caught:
        read(tmp_path, GOOD + '{"text": "a", "label": "storag"}', labels=("storage", "network"))
    assert caught.value.hint == "did you mean 'storage'?"


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    settings = DataSettings(source="jsonl", path=Path("none.jsonl"), licence="MIT")
    with pytest.raises(DataError, match=r"none.jsonl: no such file"):
        read_rows(settings, tmp_path)


def test_a_directory_without_such_files_is_refused(tmp_path: Path) -> None:
    settings = DataSettings(source="csv", path=Path("."), licence="MIT")
    with pytest.raises(DataError, match=r"holds no \*.csv file"):
        read_rows(settings, tmp_path)


def test_json_lines_are_read_with_groups_and_other_column_names(tmp_path: Path) -> None:
    lines = [{"body": "a\u2028b", "kind": 3, "actor": "x"}, {"body": "", "kind": 4, "actor": "y"}]
    found = read(
        tmp_path,
        "\ufeff" + "\n".join(json.dumps(line, ensure_ascii=False) for line in lines),
        text_column="body",
        label_column="kind",
        group_column="actor",
    )
    assert [(r.text, r.label, r.group) for r in found.rows] == [("a\u2028b", "3", "x")]
    assert found.dropped == {"empty text": 1}
    assert found.labels == ("3",)
    assert found.source == "jsonl rows.jsonl"


def test_without_a_group_column_the_text_is_the_group(tmp_path: Path) -> None:
    rows = read(tmp_path, GOOD + GOOD.replace("Disk", "DISK ") + GOOD.replace("Disk", "Cup")).rows
    assert rows[0].group == rows[1].group != rows[2].group


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no rows"),
        ("text,label\n", "holds no rows"),
        ("text,label\na,b\nonly\n", "rows.csv:3: the row has not the 2 cells of the header"),
        ("text,label\na,b,c\n", "rows.csv:2: the row has not the 2 cells"),
        ("text,text\na,b\n", "rows.csv:1: two columns have the same name"),
        ("words,label\na,b\n", "rows.csv:2: no column 'text'"),
        ('text,label\n"a"x,b\n', "rows.csv:2: malformed CSV"),
        ('text,label\n"a,b\n', "malformed CSV"),
    ],
)
def test_bad_csv_is_refused_by_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, "csv")
    assert message in caught.value.message


def test_csv_cells_may_hold_line_breaks(tmp_path: Path) -> None:
    found = read(tmp_path, 'text,label\n"two\nlines",b\nc,d\n', "csv")
    assert [r.text for r in found.rows] == ["two\nlines", "c"]


def test_parquet_is_read_and_a_broken_file_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a", "b"], "label": ["x", "y"]}), tmp_path / "good.parquet")
    settings = DataSettings(source="parquet", path=Path("good.parquet"), licence="MIT")
    assert [r.label for r in read_rows(settings, tmp_path).rows] == ["x", "y"]
    with pytest.raises(DataError, match=r"rows.parquet: cannot be read as Parquet"):
        read(tmp_path, b"PAR1 not really", "parquet")


def test_parquet_without_the_column_is_refused_by_row(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["a"], "class": ["x"]}), tmp_path / "odd.parquet")
    settings = DataSettings(source="parquet", path=Path("odd.parquet"), licence="MIT")
    with pytest.raises(DataError, match=r"odd.parquet: row 1: no column 'label'"):
        read_rows(settings, tmp_path)
