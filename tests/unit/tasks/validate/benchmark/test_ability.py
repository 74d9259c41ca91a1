"""General ability: paired by question, by task; other questions are never compared."""

import math

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError
from infra.statistics.paired import Discordance, paired_difference
from tasks.validate.benchmark.ability import Answered, ability_evidence
from tasks.validate.benchmark.task_file import Benchmark
from tasks.validate.benchmark.task_run import TaskResult, dump_results, summarise

INPUTS = {"candidate": digest_bytes(b"u"), "base": digest_bytes(b"b")}


def task(name: str) -> Benchmark:
    data = {"file": "x.jsonl", "licence": "ours", "package": "questions"}
    return Benchmark.model_validate(
        {
            "name": name,
            "description": "x",
            "data": data,
            "prompt": "{{q}}",
            "answer": "a",
            "choice": {"field": "o"},
        }
    )


def results(right: str, start: int = 0) -> tuple[TaskResult, ...]:
    return tuple(
        TaskResult(id=f"{at}-x", reference="a", answer="a" if mark == "1" else "b", score=float(mark))
        for at, mark in enumerate(right, start)
    )


def test_what_only_the_base_knows_is_lost() -> None:
    base = Answered(results={"one": results("1111100000"), "two": results("1100")})
    tuned = Answered(results={"one": results("1000000001"), "two": results("1100")})
    evidence = ability_evidence(base, tuned, INPUTS, [task("one"), task("two")])
    assert evidence.metric == "general_ability_drop"
    expected = paired_difference(Discordance(gained=4, lost=1, n=14))
    assert (evidence.value, evidence.lower, evidence.upper) == (3 / 14, expected.lower, expected.upper)
    assert {name: (part.value, part.n) for name, part in evidence.slices.items()} == {
        "one": (0.3, 10),
        "two": (0.0, 4),
    }
    assert "one 5→2 of 10, two 2→2 of 4" in evidence.method
    assert "questions" in evidence.method


def test_a_model_that_forgot_nothing_is_still_uncertain() -> None:
    same = Answered(results={"one": results("10" * 20)})
    evidence = ability_evidence(same, same, INPUTS, [task("one")])
    assert evidence.value == 0
    assert evidence.lower < 0 < evidence.upper


@pytest.mark.parametrize(
    "other",
    [results("111"), results("1111", start=1), results("1111")[::-1], (), results("11") * 2],
    ids=["fewer", "others", "order", "none", "doubled"],
)
def test_other_questions_are_not_compared(other: tuple[TaskResult, ...]) -> None:
    base = Answered(results={"one": results("1111")})
    with pytest.raises(DataError, match="same distinct items"):
        ability_evidence(base, Answered(results={"one": other}), INPUTS, [task("one")])
    with pytest.raises(DataError, match="same distinct items"):
        ability_evidence(Answered(results={"one": other}), base, INPUTS, [task("one")])


def test_graded_scores_have_a_bootstrap_interval_and_right_or_wrong_a_score_interval() -> None:
    assert "Wilson" in summarise(results("1101")).method
    graded = [TaskResult(id=f"{at}", reference="a", answer="b", score=at / 10) for at in range(11)]
    found = summarise(graded)
    assert "bootstrap" in found.method
    assert found.value == pytest.approx(0.5)
    assert found.lower < found.value < found.upper


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1])
def test_impossible_scores_are_no_result(score: float) -> None:
    with pytest.raises(ValueError):
        TaskResult(id="1", reference="a", answer="a", score=score)
    with pytest.raises(ValueError):
        TaskResult(id="1", reference="a", answer="a", score=1, log_likelihoods=(math.nan,))


def test_no_results_are_no_measurement() -> None:
    for measure in (summarise, dump_results):
        with pytest.raises(DataError, match="no results"):
            measure([])
