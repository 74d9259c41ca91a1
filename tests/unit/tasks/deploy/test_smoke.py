"""The smoke test refuses a unit that does not answer as measured."""

import pytest

from infra.errors import IntegrityError
from tasks.deploy.smoke import Expected, check_answers


def test_no_question_is_no_pass() -> None:
    with pytest.raises(IntegrityError, match="no questions"):
        check_answers([], lambda text: text)


def test_one_wrong_answer_refuses() -> None:
    questions = [Expected("a", "impact"), Expected("b", "discovery")]
    with pytest.raises(IntegrityError, match=r"smoke test 2 of 2.*validation measured 'discovery'"):
        check_answers(questions, lambda _text: "impact")


def test_answers_as_measured() -> None:
    asked: list[str] = []

    def ask(text: str) -> str:
        asked.append(text)
        return "impact"

    check_answers([Expected("a", "impact"), Expected("b", "impact")], ask)
    assert asked == ["a", "b"]
