"""Records kept by key: whole, unaltered, or not there."""

import json
from pathlib import Path

import pytest

from infra.errors import IntegrityError
from infra.handover import Shelf
from tasks.records.record import Record


class Note(Record):
    text: str


def test_an_altered_record_is_refused(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("a/note", Note(text="true"))
    file = tmp_path / "a" / "note.json"
    whole = json.loads(file.read_text())
    whole["record"]["text"] = "false"
    file.chmod(0o600)
    file.write_text(json.dumps(whole))
    with pytest.raises(IntegrityError, match="was altered"):
        shelf.get("a/note", Note)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"digest": "sha256:00", "record": {}}'])
def test_a_broken_file_is_refused_with_what_to_do(tmp_path: Path, content: str) -> None:
    (tmp_path / "note.json").write_text(content)
    with pytest.raises(IntegrityError) as caught:
        Shelf(tmp_path).get("note", Note)
    assert "remove" in caught.value.hint


def test_absent_is_none(tmp_path: Path) -> None:
    assert Shelf(tmp_path).get("nothing", Note) is None


def test_a_step_runs_once_for_the_same_inputs(tmp_path: Path) -> None:
    shelf, runs = Shelf(tmp_path), []

    def compute() -> Note:
        runs.append(1)
        return Note(text=str(len(runs)))

    assert shelf.once("step", {"a": 1, "b": 2}, Note, compute).text == "1"
    assert shelf.once("step", {"b": 2, "a": 1}, Note, compute).text == "1"
    assert shelf.once("step", {"a": 2, "b": 2}, Note, compute).text == "2"


def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)

    def fail() -> Note:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        shelf.once("step", {"a": 1}, Note, fail)
    assert shelf.once("step", {"a": 1}, Note, lambda: Note(text="second try")).text == "second try"
