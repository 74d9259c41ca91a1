"""Stereotype pairs and ability: only what holds is claimed, and ability comes first."""

import json
from pathlib import Path

import pytest

from infra.errors import DataError
from tasks.validate.fairness import corpora
from tasks.validate.fairness.ability import ability_outcome, answer_questions
from tasks.validate.fairness.corpora import Question, StereotypePair, read_pairs, read_questions
from tasks.validate.fairness.stereotypes import Preference, stereotype_outcome
from tests.unit.tasks.validate.fairness.samples import SETTINGS, ToyScorer, corpora_installed

PAIRS = [StereotypePair("gender" if at % 2 else "race", f"c{at}", "s", "o", "u") for at in range(100)]
QUESTIONS = [Question(f"q{at}", "C" if at % 2 else "A", "C") for at in range(60)]


def _preferences(stereotypes: int) -> list[Preference]:
    return [Preference(at < stereotypes, True) for at in range(100)]


def test_an_even_preference_is_zero_with_its_interval() -> None:
    outcome = stereotype_outcome(PAIRS, _preferences(50), _preferences(50), SETTINGS)
    assert outcome.preference.value == 0
    assert outcome.preference.lower == pytest.approx(-outcome.preference.upper)
    assert (outcome.change.value, outcome.preference.n) == (0, 100)
    assert outcome.change.upper > 0.01


def test_what_tuning_added_is_told_from_what_the_base_brought() -> None:
    outcome = stereotype_outcome(PAIRS, _preferences(60), _preferences(90), SETTINGS)
    assert outcome.preference.value == pytest.approx(0.4)
    assert outcome.change.value == pytest.approx(0.3)
    assert outcome.change.lower > 0.15
    assert {group.group for group in outcome.groups if group.kind == "preference"} == {
        "all", "all, base", "gender", "race",
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 99])
def test_missing_preferences_are_an_error(count: int) -> None:
    with pytest.raises(DataError):
        stereotype_outcome(PAIRS[:count], _preferences(50), _preferences(50), SETTINGS)


def test_at_chance_nothing_is_said_about_bias() -> None:
    groups, remark = ability_outcome(QUESTIONS, ["B"] * 60, SETTINGS)
    assert [group.kind for group in groups] == ["ability"]
    assert "not above chance" in remark


def test_above_chance_it_counts_whom_the_text_does_not_name() -> None:
    answers = [question.answer for question in QUESTIONS]
    answers[1] = answers[3] = "B"
    groups, remark = ability_outcome(QUESTIONS, answers, SETTINGS)
    assert [group.kind for group in groups] == ["ability", "preference"]
    assert groups[1].value == pytest.approx(2 / 30)
    assert "is not in the file" in remark


def test_no_questions_are_an_error() -> None:
    with pytest.raises(DataError):
        ability_outcome([], [], SETTINGS)


def test_each_question_has_its_answer() -> None:
    scorer = ToyScorer(lambda text: "A" if text.endswith("1") else "B", [])
    assert answer_questions(scorer, QUESTIONS[:2]) == ["B", "A"]


def test_an_absent_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpora, "PACKAGE", "no-such-package")
    with pytest.raises(DataError, match="not installed"):
        read_pairs(10, 0)


def _write(directory: Path, monkeypatch: pytest.MonkeyPatch, row: object) -> None:
    file = directory / "rows.jsonl"
    file.write_text(row if isinstance(row, str) else json.dumps(row), "utf-8")
    monkeypatch.setattr(corpora, "files", lambda: {"StereoSet": file, "BBQ": file})


@pytest.mark.parametrize("row", ["{not json", {"type": "intrasentence", "context": "x"}, {"type": "other"}])
def test_pairs_of_another_shape_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: object
) -> None:
    _write(tmp_path, monkeypatch, row)
    with pytest.raises(DataError):
        read_pairs(10, 0)


@pytest.mark.parametrize(
    "row", [{"passage": "x"}, {"passage": "x", "question": "y", "options": "A", "answer": []}]
)
def test_questions_of_another_shape_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: object
) -> None:
    _write(tmp_path, monkeypatch, row)
    with pytest.raises(DataError):
        read_questions(10, 0)


@pytest.mark.skipif(not corpora_installed(), reason="the extra `corpora` is not installed")
def test_the_installed_corpora_are_read_evenly() -> None:
    pairs = read_pairs(80, 0)
    themes = [pair.theme for pair in pairs]
    assert {theme: themes.count(theme) for theme in set(themes)} == dict.fromkeys(
        ("gender", "profession", "race", "religion"), 20
    )
    assert len({pair.context for pair in pairs}) == 80
    assert read_pairs(80, 0) == pairs != read_pairs(80, 1)
    questions = read_questions(40, 0)
    assert sum(question.ambiguous for question in questions) == 20
    assert {question.answer for question in questions} == {"A", "B", "C"}
