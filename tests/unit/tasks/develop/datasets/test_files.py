"""Your own files: every bad one is refused by name and row, or repaired, as docs/data.md says."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.config.data import DataSettings
from infra.errors import DataError
from tasks.develop.datasets import read_source
from tasks.develop.datasets.sources import Found

GOOD = '{"text": "Disk is full", "label": "storage"}\n'
OTHER = '{"text": "Link is down", "label": "network"}\n'


def read(tmp_path: Path, content: bytes | str, source: str = "jsonl", **settings: Any) -> Found:
    file = tmp_path / f"rows.{source}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_source(DataSettings(source=source, path=Path(file.name), licence="MIT", **settings), tmp_path)


def texts(found: Found) -> list[str]:
    cells: list[str] = found.table.column("text").to_pylist()
    return cells


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.jsonl: holds no rows"),
        ("\n \n", "rows.jsonl: holds no rows"),
        (GOOD + "{oops\n", "rows.jsonl:2: malformed JSON"),
        (GOOD + "\n[1]\n", "rows.jsonl:3: got list, expected a JSON object"),
        (GOOD + '{"text": NaN, "label": "b"}', "rows.jsonl:2: malformed JSON"),
        (GOOD + '{"text": "\\ud800", "label": "b"}', "rows.jsonl:2: malformed JSON"),
        (GOOD.encode() + b'{"text": "\xff"}', "rows.jsonl:2: byte 0xff is not UTF-8"),
        ('{"txt": "a", "label": "b"}', "rows.jsonl:1: no column 'text', got 'txt', 'label'"),
        (GOOD + '{"text": "a"}', "rows.jsonl:2: no column 'label'"),
        (GOOD + '{"text": "a", "label": null}', "rows.jsonl:2: column 'label' holds nothing"),
        (
            GOOD + '{"text": "", "label": "b"}\n{"text": "a", "label": " "}',
            "rows.jsonl:3: column 'label' holds",
        ),
        (GOOD + '{"text": "a", "label": ["b"]}', "rows.jsonl:2: column 'label' holds list"),
        (GOOD + '{"text": 7, "label": "b"}', "rows.jsonl:2: column 'text' holds int"),
        (GOOD + '{"text": "a", "label": true}', "rows.jsonl:2: column 'label' holds bool"),
        (
            '{"text": " ", "label": "b"}\n{"text": null, "label": "b"}',
            "jsonl rows.jsonl: none of 2 rows is usable: 2 empty text",
        ),
        (GOOD * 3, "jsonl rows.jsonl: every row has label 'storage', expected at least two labels"),
        ((GOOD + OTHER).encode("utf-16"), "rows.jsonl: is UTF-16 (byte order mark), expected UTF-8"),
        ((GOOD + OTHER).encode("utf-32"), "rows.jsonl: is UTF-32 (byte order mark), expected UTF-8"),
        ((GOOD + OTHER).encode("utf-16-le"), "rows.jsonl:1: holds NUL bytes, perhaps UTF-16"),
        (GOOD + '{"text": "' + "x" * 10_000_000, "rows.jsonl:2: a line of more than 1048576 bytes"),
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


def test_repeated_ids_name_both_rows(tmp_path: Path) -> None:
    rows = [{"text": f"t{n}", "label": "ab"[n % 2], "key": n % 3} for n in range(5)]
    with pytest.raises(DataError, match=r"rows.jsonl:4: its id is that of .*rows.jsonl:1"):
        read(tmp_path, "\n".join(map(json.dumps, rows)), id_column="key")
    found = read(tmp_path, "\n".join(map(json.dumps, rows[:3])), id_column="key")
    assert found.table.column_names == ["text", "label", "group", "licence", "source"]


SPLIT = '{{"text": "{}", "label": "{}", "part": "{}", "actor": "{}"}}\n'


def test_published_splits_that_share_a_text_are_refused(tmp_path: Path) -> None:
    rows = SPLIT.format("One  TEXT", "a", "test", "x") + SPLIT.format("one text", "b", "train", "y")
    with pytest.raises(DataError, match=r"jsonl:2: its text is in the test split too \(.*jsonl:1\)"):
        read(tmp_path, rows, split_column="part")


def test_published_splits_that_share_a_group_are_refused(tmp_path: Path) -> None:
    rows = SPLIT.format("one", "a", "test", "x") + SPLIT.format("two", "b", "valid", "x")
    with pytest.raises(DataError, match=r"rows.jsonl:2: its group is in the test split too"):
        read(tmp_path, rows, split_column="part", group_column="actor")


def test_a_split_that_is_none_is_refused(tmp_path: Path) -> None:
    rows = SPLIT.format("one", "a", "test", "x") + SPLIT.format("two", "b", "extra", "x")
    with pytest.raises(DataError, match=r"rows.jsonl:2: split 'extra' is none of"):
        read(tmp_path, rows, split_column="part")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    settings = DataSettings(source="jsonl", path=Path("none.jsonl"), licence="MIT")
    with pytest.raises(DataError, match=r"none.jsonl: no such file"):
        read_source(settings, tmp_path)


def test_a_directory_without_such_files_is_refused(tmp_path: Path) -> None:
    settings = DataSettings(source="csv", path=Path("."), licence="MIT")
    with pytest.raises(DataError, match=r"holds no \*.csv file"):
        read_source(settings, tmp_path)


def test_json_lines_are_read_with_groups_and_other_column_names(tmp_path: Path) -> None:
    lines = [
        {"body": "a\u2028b", "kind": 3, "actor": "x"},
        {"body": "", "kind": 4, "actor": "y"},
        {"body": "c", "kind": " 4\u200b", "actor": "y"},
    ]
    found = read(
        tmp_path,
        "\ufeff" + "\n".join(json.dumps(line, ensure_ascii=False) for line in lines),
        text_column="body",
        label_column="kind",
        group_column="actor",
    )
    assert found.table.select(["text", "label", "group"]).to_pylist() == [
        {"text": "a\u2028b", "label": "3", "group": "x"},
        {"text": "c", "label": "4", "group": "y"},
    ]
    assert (found.rows, found.dropped) == (3, {"empty text": 1})
    assert found.info.labels == ("3", "4")
    assert found.info.source == "jsonl rows.jsonl"


def test_licence_and_source_are_those_of_the_row_or_of_the_data_set(tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "x", "terms": "CC0-1.0", "url": "u1"},
            {"text": "b", "label": "y", "terms": None, "url": "u2"},
            {"text": "c", "label": "y", "terms": "MIT", "url": "u3"}]  # fmt: skip
    lines = "\n".join(map(json.dumps, rows))
    found = read(tmp_path, lines, licence_column="terms", source_column="url")
    assert found.table.column("licence").to_pylist() == ["CC0-1.0", "MIT"]
    assert found.table.column("source").to_pylist() == ["u1", "u3"]
    assert found.dropped == {"no licence": 1}
    same = read(tmp_path, lines).table
    assert same.column("licence").unique().to_pylist() == ["MIT"]
    assert same.column("source").unique().to_pylist() == ["jsonl rows.jsonl"]
    assert same.column("group").null_count == 3


def test_files_of_a_directory_are_read_in_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_text(GOOD)
    (tmp_path / "a.jsonl").write_text(OTHER)
    (tmp_path / "notes.txt").write_text("no")
    found = read_source(DataSettings(source="jsonl", path=Path("."), licence="MIT"), tmp_path)
    assert texts(found) == ["Link is down", "Disk is full"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no rows"),
        ("text,label\n", "holds no rows"),
        ("text,label\na,b\nonly\n", "rows.csv:3: got 1 cells, the header has 2"),
        ("text,label\na,b,c\n", "rows.csv:2: got 3 cells, the header has 2"),
        ("text,text\na,b\n", "rows.csv:1: two columns have the same name"),
        ("words,label\na,b\n", "rows.csv:2: no column 'text'"),
        ('text,label\n"a"x,b\n', "rows.csv:2: malformed CSV"),
        ('text,label\n"a,b\n', "malformed CSV"),
        ("text,label\na,\n", "rows.csv:2: column 'label' holds nothing"),
        (b"text,label\na\xff,b\n", "rows.csv:2: byte 0xff is not UTF-8"),
        ("text,label\na,b\n".encode("utf-16"), "rows.csv: is UTF-16"),
    ],
)
def test_bad_csv_is_refused_by_line(tmp_path: Path, content: bytes | str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, content, "csv")
    assert message in caught.value.message


def test_csv_cells_may_hold_line_breaks_and_the_file_a_mark(tmp_path: Path) -> None:
    found = read(tmp_path, '\ufefftext,label\n"two\nlines",b\n\nc,d\n', "csv")
    assert texts(found) == ["two\nlines", "c"]


def parquet(tmp_path: Path, columns: dict[str, Any]) -> Found:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    return read_source(DataSettings(source="parquet", path=Path("rows.parquet"), licence="MIT"), tmp_path)


def test_parquet_is_read_whatever_kind_of_string_it_holds(tmp_path: Path) -> None:
    import pyarrow as pa

    coded = pa.array(["a", "b"]).dictionary_encode()
    found = parquet(tmp_path, {"text": coded, "label": pa.array([1, 2]), "other": [[1], [2]]})
    assert found.table.select(["text", "label"]).to_pylist() == [
        {"text": "a", "label": "1"},
        {"text": "b", "label": "2"},
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["a"], "class": ["x"]}, "rows.parquet: row 1: no column 'label'"),
        ({"text": [1.5], "label": ["x"]}, "rows.parquet: row 1: column 'text' holds double, expected text"),
        ({"text": [None, None], "label": ["x", "y"]}, "none of 2 rows is usable: 2 empty text"),
        ({"text": ["a", "b"], "label": ["x", None]}, "rows.parquet: row 2: column 'label' holds nothing"),
        ({"text": ["a", "b"], "label": [None, None]}, "rows.parquet: row 1: column 'label' holds nothing"),
    ],
)
def test_bad_parquet_is_refused_by_row(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError) as caught:
        parquet(tmp_path, columns)
    assert message in caught.value.message


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows.parquet: cannot be read as Parquet"):
        read(tmp_path, b"PAR1 not really", "parquet")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"source": "jsonl"}, "needs a path, or data.object"),
        ({"source": "jsonl", "path": "a", "object": "s3://bucket/a"}, "there is a data.path too"),
        ({"source": "hf", "object": "s3://bucket/a"}, "source 'hf' is a directory"),
        ({"source": "cwe", "object": "s3://bucket/a"}, "reads an installed package"),
        ({"source": "csv", "object": "https://bucket/a"}, "object"),
        ({"source": "csv", "path": "a", "languages": ["english"]}, "languages"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DataSettings.model_validate({"licence": "MIT", **values})
