"""Rows of a task: read strictly, every fault named by file and line, drawn the same every time."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError, IntegrityError
from tasks.validate.benchmark.task_data import Items, read_items
from tasks.validate.benchmark.task_file import Benchmark

LETTERED = "A. a marsh\nB. a tundra\n  of two lines\nC. the plains"


def task(data: dict[str, Any] | None = None, **more: Any) -> Benchmark:
    content: dict[str, Any] = {
        "name": "quiz",
        "description": "A quiz.",
        "data": {"file": "quiz.jsonl", "licence": "ours", **(data or {})},
        "prompt": "Q: {{question}}",
        "answer": "answer",
    }
    if "generation" not in more:
        content["choice"] = {"field": "options", "lettered": True}
    return Benchmark.model_validate({**content, **more})


def read(
    directory: Path, text: str | bytes, made: Benchmark | None = None, name: str = "quiz.jsonl"
) -> Items:
    (directory / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_items(made or task(), directory)


def row(**changes: Any) -> str:
    return json.dumps({"question": "Fog?", "options": LETTERED, "answer": "A. a marsh"} | changes) + "\n"


def test_lettered_rows(tmp_path: Path) -> None:
    items = read(tmp_path, row() + "\n" + row(question="Mud?", answer="B. a tundra\n  of two lines"))
    first, second = items.items
    assert first.prompt == "Q: Fog?"
    assert first.choices == ("a marsh", "a tundra\n  of two lines", "the plains")
    assert (first.reference, second.reference) == ("a marsh", "a tundra\n  of two lines")
    assert second.id.startswith("3-")


def test_a_value_that_looks_like_a_slot_stays_text(tmp_path: Path) -> None:
    (item,) = read(tmp_path, row(question="{{answer}} {{options}}")).items
    assert item.prompt == "Q: {{answer}} {{options}}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("\n\n", "no rows"),
        (row() + "{not json}\n", "quiz.jsonl:2: not JSON"),
        (row() + "[1]\n", "quiz.jsonl:2: got list"),
        (row() + row(answer="D. a desert"), "quiz.jsonl:2: answer 'a desert' is none of the 3 choices"),
        (row(answer=3), "quiz.jsonl:1: answer: got int"),
        (row(options="no letters"), "quiz.jsonl:1: options: got 0 choices"),
        (row(options="A. x\nB. x", answer="A. x"), "quiz.jsonl:1: options: a choice stands twice"),
        (row(options=["x", 1], answer="x"), "quiz.jsonl:1: options: expected"),
        (row(options=7), "quiz.jsonl:1: options: expected"),
        ('{"question": "x", "answer": "y"}\n', "quiz.jsonl:1: no column 'options'"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_faults_are_named_by_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, text)
    assert message in raised.value.message


def test_a_missing_column_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        read(tmp_path, json.dumps({"questions": "x", "options": LETTERED, "answer": "A. a marsh"}))
    assert raised.value.hint == "did you mean 'questions'?"


def test_csv(tmp_path: Path) -> None:
    made = task({"file": "quiz.csv"}, generation={"score": "exact"}, answer="label")
    items = read(tmp_path, '\ufeffquestion,label\n"two\nlines",x\nmore,y\n', made, "quiz.csv")
    assert [(item.prompt, item.reference) for item in items.items] == [
        ("Q: two\nlines", "x"),
        ("Q: more", "y"),
    ]
    with pytest.raises(DataError, match=r"quiz.csv:2: has more or fewer cells"):
        read(tmp_path, "question,label\nonly one\n", made, "quiz.csv")
    with pytest.raises(DataError, match=r"quiz.csv:2: has more or fewer cells"):
        read(tmp_path, "question,label\na,b,c\n", made, "quiz.csv")
    with pytest.raises(DataError, match="malformed CSV"):
        read(tmp_path, 'question,label\n"a" b,c\n', made, "quiz.csv")


def test_drawing_is_seeded_and_keeps_the_order(tmp_path: Path) -> None:
    text = "".join(row(question=f"Fog {number}?") for number in range(50))
    drawn = [read(tmp_path, text, task({"rows": 10, "seed": seed})) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    lines = [int(item.id.split("-")[0]) for item in drawn[0].items]
    assert lines == sorted(lines)
    assert len(set(lines)) == 10


def test_long_rows_are_left_out_before_drawing(tmp_path: Path) -> None:
    text = row() + row(question="x" * 300)
    assert len(read(tmp_path, text, task({"max_characters": 100})).items) == 1
    with pytest.raises(DataError, match="2 rows, none of them of at most 5 characters"):
        read(tmp_path, text, task({"max_characters": 5}))


def test_unusable_rows_are_left_out_only_where_the_task_says_so_and_only_a_few(tmp_path: Path) -> None:
    text = row() * 30 + row(answer="D. a desert")
    with pytest.raises(DataError, match=":31:"):
        read(tmp_path, text)
    items = read(tmp_path, text, task({"unusable": "leave_out"}))
    assert (len(items.items), items.left_out) == (30, 1)
    with pytest.raises(DataError, match="at most 5 %"):
        read(tmp_path, row() * 3 + row(answer="none"), task({"unusable": "leave_out"}))


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    pinned = task({"digest": digest_bytes(row().encode())})
    assert len(read(tmp_path, row(), pinned).items) == 1
    with pytest.raises(IntegrityError, match="expected sha256:"):
        read(tmp_path, row() * 2, pinned)


def test_a_package_that_is_not_installed_says_what_to_install(tmp_path: Path) -> None:
    made = task({"package": "no-such-package", "file": "x/test.jsonl"})
    with pytest.raises(DataError, match="'no-such-package' is not installed") as raised:
        read_items(made, tmp_path)
    assert "pip install --no-deps no-such-package" in str(raised.value.hint)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_items(task(), tmp_path)
    with pytest.raises(DataError, match="holds no x/test"):
        read_items(task({"package": "pytest", "file": "x/test.jsonl"}), tmp_path)


def test_other_items_have_another_digest(tmp_path: Path) -> None:
    texts = (row(), row(question="Mud?"), row(options=LETTERED + "\nD. x"), row(answer="C. the plains"))
    assert len({read(tmp_path, text).digest for text in texts}) == 4
