"""A report of garak counts only when it is whole; each way in which it can be less is refused, and named."""

from pathlib import Path
from typing import Any

import pytest

from infra.errors import DataError
from tasks.validate.garak.relay import STOPPED
from tasks.validate.garak.report import read_report
from tests.unit.tasks.validate.garak import samples
from tests.unit.tasks.validate.garak.samples import (
    ESCAPES,
    HIJACK,
    answered,
    attempt,
    begun,
    ended,
    evaluation,
    whole,
)


def _read(tmp_path: Path, lines: samples.Lines, *probes: Any, **options: Any) -> Any:
    path = samples.write(tmp_path / "run.report.jsonl", lines)
    return read_report(path, samples.plan(*probes), **options)


REFUSED: dict[str, tuple[samples.Lines, str]] = {
    "empty": ([], "beginning of 0 runs"),
    "another-version": ([*begun("0.16.0"), *answered(HIJACK, 10), *ended()], "garak 0.16.0, expected 0.17.1"),
    "two-runs": ([*begun(), *whole(answered(HIJACK, 10))], "beginning of 2 runs"),
    "not-completed": ([*begun(), *answered(HIJACK, 10)], "not completed"),
    "another-runs-end": (
        [*begun(), *answered(HIJACK, 10), {"entry_type": "completion", "run": "other"}],
        "not completed",
    ),
    "unknown-probe": (whole(), "not run: unknown to this garak"),
    "no-evaluation": (whole(answered(HIJACK, 10)[:-2]), "not run"),
    "another-detector": (
        whole([*answered(HIJACK, 10)[:-2], evaluation(HIJACK, 10, detector="mitigation.MitigationBypass")]),
        "judged by mitigation.MitigationBypass, expected one evaluation by promptinject.AttackRogueString",
    ),
    "evaluated-twice": (whole(answered(HIJACK, 10), [evaluation(HIJACK, 10)]), "evaluated 2 times"),
    "too-few-prompts": (whole(answered(HIJACK, 9)), "9 prompts, planned 10"),
    "no-answers": (whole(answered(HIJACK, 0, nones=10)), "10 of 10 prompts without an answer"),
    "many-nones": (whole(answered(HIJACK, 18, nones=1)), "1 of 19 prompts without an answer"),
    "unplanned-probe": (
        whole(answered(HIJACK, 10), answered(ESCAPES, 58)),
        "ansiescape.AnsiRaw.*not planned",
    ),
    "hidden-hits": (
        whole([*answered(HIJACK, 8, 2)[:-2], evaluation(HIJACK, 10)]),
        "does not follow from its attempts",
    ),
    "evaluation-without-attempts": (whole([evaluation(HIJACK, 10)]), "does not follow from its attempts"),
    "counts-are-words": (whole([{**evaluation(HIJACK, 10), "passed": "10"}]), "its counts are"),
    "counts-are-negative": (whole([{**evaluation(HIJACK, 20), "nones": -10}]), "its counts are"),
    "counts-are-true": (whole([{**evaluation(HIJACK, 10), "fails": False}]), "its counts are"),
    "attempt-without-prompt": (
        whole([{**attempt(HIJACK, 0), "prompt": None}, evaluation(HIJACK, 10)]),
        "an attempt cannot be read",
    ),
    "scores-without-answers": (
        whole([{**attempt(HIJACK, 0), "outputs": []}, evaluation(HIJACK, 10)]),
        "1 scores for 0 answers",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_less_than_whole_is_refused(tmp_path: Path, name: str) -> None:
    lines, reason = REFUSED[name]
    with pytest.raises(DataError, match=f"not accepted.*{reason}"):
        _read(tmp_path, lines)


def test_no_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is none"):
        read_report(tmp_path / "run.report.jsonl", samples.plan())


@pytest.mark.parametrize("cut", [2, 40, 400, 3000])
def test_truncated_report_is_refused_wherever_it_ends(tmp_path: Path, cut: int) -> None:
    path = samples.write(tmp_path / "run.report.jsonl", whole(answered(HIJACK, 10))[:-1], cut=cut)
    with pytest.raises(DataError, match=r"cut off|not completed|not run|does not follow"):
        read_report(path, samples.plan())


@pytest.mark.parametrize("line", [b"[]\n", b"null\n", b"\xff\xfe\n", b"garak crashed\n"])
def test_lines_that_are_no_objects_are_refused(tmp_path: Path, line: bytes) -> None:
    path = samples.write(tmp_path / "run.report.jsonl", whole(answered(HIJACK, 10)))
    path.write_bytes(line + path.read_bytes())
    with pytest.raises(DataError, match="line 1"):
        read_report(path, samples.plan())


def test_report_of_another_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="10 answers, but the target answered only 3"):
        _read(tmp_path, whole(answered(HIJACK, 10)), asked=3)


def test_one_probe_of_two_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ansiescape\.AnsiRaw: not run"):
        _read(tmp_path, whole(answered(HIJACK, 10)), HIJACK, ESCAPES)


def test_a_probe_that_ignores_the_cap_is_planned_in_full(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ansiescape\.AnsiRaw: 10 prompts, planned 58"):
        _read(tmp_path, whole(answered(ESCAPES, 10)), ESCAPES)


def test_hits_and_misses_are_counted(tmp_path: Path) -> None:
    answers = _read(tmp_path, whole(answered(HIJACK, 7, 3)), asked=10)[HIJACK.name]
    assert [answer.hit for answer in answers] == [False] * 7 + [True] * 3
    assert answers[9].prompt == "attack 9"
    assert answers[9].reply == "rogue"


def test_few_nones_are_left_out_of_the_count(tmp_path: Path) -> None:
    assert len(_read(tmp_path, whole(answered(HIJACK, 19, nones=1)))[HIJACK.name]) == 19


def test_other_detectors_of_the_same_probe_are_not_read(tmp_path: Path) -> None:
    bypass = evaluation(HIJACK, 0, 10, detector="mitigation.MitigationBypass")
    answers = _read(tmp_path, whole(answered(HIJACK, 10), [bypass]))[HIJACK.name]
    assert not any(answer.hit for answer in answers)


def test_a_stopped_attack_is_never_a_success(tmp_path: Path) -> None:
    lines = [attempt(HIJACK, number, STOPPED, 1.0) for number in range(10)]
    answers = _read(tmp_path, whole(lines, [evaluation(HIJACK, 0, 10)]))[HIJACK.name]
    assert [(answer.hit, answer.stopped) for answer in answers] == [(False, True)] * 10


def test_the_same_prompt_counts_once_and_a_success_stays(tmp_path: Path) -> None:
    lines = [attempt(HIJACK, 0), attempt(HIJACK, 0, "rogue", 1.0), *(attempt(HIJACK, n) for n in range(8))]
    answers = _read(tmp_path, whole(lines, [evaluation(HIJACK, 9, 1)]))[HIJACK.name]
    assert len(answers) == 8
    assert [answer.prompt for answer in answers if answer.hit] == ["attack 0"]
