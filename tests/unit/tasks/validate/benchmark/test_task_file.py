"""Task files: every fault is named with file, line and the nearest valid name."""

from pathlib import Path

import pytest

from infra.config.load import REPOSITORY
from infra.errors import ConfigError
from tasks.validate.benchmark.task_file import load_task

GOOD = """\
name: quiz
description: A quiz.
data:
  file: quiz.jsonl
  licence: ours
prompt: "Question: {{question}}"
answer: answer
choice:
  field: options
"""
GENERATION = GOOD.replace("choice:\n  field: options\n", "generation:\n  score: exact\n")


def write(directory: Path, text: str) -> Path:
    file = directory / "quiz.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize("text", [GOOD, GENERATION])
def test_what_is_right_is_read(tmp_path: Path, text: str) -> None:
    task = load_task(write(tmp_path, text))
    assert task.name == "quiz"
    assert task.digest == load_task(write(tmp_path, text)).digest
    assert task.digest != load_task(write(tmp_path, text.replace("A quiz", "Another"))).digest


@pytest.mark.parametrize("name", ["piqa", "openbookqa", "mmlu"])
def test_the_repository_s_own_tasks_are_valid_and_pinned(name: str) -> None:
    task = load_task(REPOSITORY / "configs" / "benchmarks" / f"{name}.yaml")
    assert task.name == name
    assert task.data.digest


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("  field: options", "  feild: options", 9, "unknown key 'choice.feild'"),
        ("  licence: ours", "  licence: ours\n  digset: x", 6, "unknown key 'data.digset'"),
        ("answer: answer", "anwser: answer", 7, "unknown key 'anwser'"),
        ("name: quiz", "name: A Quiz", 1, "name"),
        ("  file: quiz.jsonl", "  file: quiz.parquet", 3, "expected *.jsonl or *.csv"),
        ("  licence: ours", "  licence: ''", 5, "data.licence"),
        ("{{question}}", "question", 1, "at least one {{column}}"),
        ("{{question}}", "{{question}} {% if x %}", 1, "no other template marks"),
        ("{{question}}", "{{answer}}", 1, "shows the answer"),
        ("  field: options", "  field: options\n  labels: [a, b]", 8, "either field or labels"),
        ("  field: options", "  labels: [a, a]", 8, "no doubles"),
        ("  field: options", "  labels: [a]", 8, "at least two"),
        ("  field: options", "  field: options\n  method: second_token", 10, "'first_token'"),
        (
            "  field: options",
            "  field: options\n  method: first_token\n  per_character: true",
            8,
            "needs method full_label",
        ),
        (
            "  field: options",
            "  field: options\ngeneration: {score: exact}",
            1,
            "either choice or generation",
        ),
        ("choice:\n  field: options", "generation: {score: bleu}", 8, "'exact'"),
        ("choice:\n  field: options", "generation: {score: exact, pattern: x}", 8, "only for score regex"),
        ("choice:\n  field: options", "generation: {score: regex, pattern: '('}", 8, "RE2 refuses"),
        (
            "choice:\n  field: options",
            "generation: {score: regex, pattern: 'x*'}",
            8,
            "matches an empty answer",
        ),
        ("choice:\n  field: options", "generation: {score: exact, max_new_tokens: 0}", 8, "greater than"),
        ("choice:\n  field: options", "generation: {score: exact, max_new_tokens: '9'}", 8, "valid integer"),
        ("  licence: ours", "  licence: ours\n  rows: 0", 6, "data.rows"),
        ("  licence: ours", "  licence: ours\n  digest: sha256:12", 6, "data.digest"),
        ("choice:\n  field: options", "choice: null", 1, "either choice or generation"),
    ],
)
def test_faults_are_named_by_line(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as raised:
        load_task(write(tmp_path, GOOD.replace(old, new)))
    assert f"quiz.yaml:{line}: " in raised.value.message
    assert message in raised.value.message


@pytest.mark.parametrize(
    ("old", "new", "meant"),
    [("field", "feild", "field"), ("licence", "license", "licence"), ("prompt", "promt", "prompt")],
)
def test_the_nearest_name_is_said(tmp_path: Path, old: str, new: str, meant: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_task(write(tmp_path, GOOD.replace(f"{old}:", f"{new}:")))
    assert raised.value.hint == f"did you mean {meant!r}?"


def test_a_list_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a mapping"):
        load_task(write(tmp_path, "- name: quiz\n"))
