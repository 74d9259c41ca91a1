"""The table and the choice, on candidates of which none can be loaded or that were scored before."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.config.base import BaseSettings
from infra.errors import DataError
from infra.prompts import PromptTemplate
from infra.store import FileStore
from tasks.develop.fewshot.sample import balanced
from tasks.develop.selection import chosen_base, compare_bases
from tasks.develop.selection.compare import _choose
from tasks.develop.selection.score import nearest_rank
from tasks.develop.selection.table import as_text, metrics
from tasks.records import Row
from tasks.records.selection import BaseCheck, BaseComparison, BaseScore, ComparedBase, ShotScore

DIGEST = "sha256:" + "0" * 64
TEMPLATE = PromptTemplate("p", "Answer: {{labels}}", "{{text}}", ("a", "b"))
ROWS = [Row(text=f"row {n}", label="ab"[n % 2], group="g") for n in range(10)]


def settings(**changes: object) -> BaseSettings:
    candidates = [{"name": "x", "source": "path:x", "licence": "MIT"}]
    return BaseSettings.model_validate({"candidates": candidates, **changes})


def check(name: str, verdict: str = "accepted", digest: str | None = DIGEST) -> BaseCheck:
    made = {"name": name, "source": "path:x", "licence": "MIT", "verdict": verdict, "reasons": ["r"]}
    return BaseCheck.model_validate(made | {"digest": digest, "parameters": 10, "bytes": 20})


def shots(lower: float) -> ShotScore:
    return ShotScore(
        shots=0, prompt=DIGEST, correct=1, rows=2, accuracy=0.5, lower=lower, upper=0.9, rows_per_cpu_s=1.0
    )


def scored(name: str, zero: float, few: float | None = None) -> ComparedBase:
    score = BaseScore(
        zero_shot=shots(zero),
        few_shot=None if few is None else shots(few),
        latency_p50_ms=1.0,
        latency_p95_ms=2.0,
        timed_texts=8,
        peak_memory_bytes=0,
    )
    return ComparedBase(check=check(name), score=score)


def comparison(chosen: str, *rows: ComparedBase) -> BaseComparison:
    return BaseComparison(rows=rows, rule="r", chosen=chosen, reason="because", scored_on="2 rows")


@pytest.mark.parametrize(
    ("rule", "expected"), [("preference", "first"), ("quality", "second")], ids=["preference", "quality"]
)
def test_the_rule_decides(rule: str, expected: str) -> None:
    table = [
        ComparedBase(check=check("refused", "refused", None)),
        scored("first", 0.30),
        scored("second", 0.10, few=0.40),
        scored("third", 0.40),
    ]
    assert _choose(table, settings(choose=rule)).check.name == expected


def test_nothing_is_chosen_when_nothing_could_be_scored() -> None:
    with pytest.raises(DataError, match="no base model can be scored: x: r"):
        _choose([ComparedBase(check=check("x", "refused", None))], settings())


def test_a_refused_or_unscored_candidate_cannot_be_the_choice() -> None:
    with pytest.raises(ValidationError, match="not accepted and scored"):
        comparison("x", ComparedBase(check=check("x", "refused", None)))
    with pytest.raises(ValidationError, match="not accepted and scored"):
        comparison("x", ComparedBase(check=check("x")))


def test_accepted_without_a_digest_is_no_record() -> None:
    with pytest.raises(ValidationError, match="accepted without digest"):
        check("x", digest=None)


def test_without_validation_rows_there_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no validation rows"):
        compare_bases([check("x")], TEMPLATE, (), [], settings(), FileStore(tmp_path))


def test_every_candidate_is_in_the_table_and_in_the_reasons() -> None:
    found = comparison("x", scored("x", 0.1, few=0.2), ComparedBase(check=check("y", "not installed", None)))
    text = as_text(found)
    assert "not installed" in text
    assert "chosen: x (because); scored on 2 rows" in text
    assert chosen_base(found).reasons == ("x: accepted: r; chosen: because", "y: not installed: r")
    assert metrics(found)["base.x.accuracy_few_shot"] == 0.5
    assert not [name for name in metrics(found) if name.startswith("base.y")]


def test_percentiles_of_few_values_are_values_that_were_seen() -> None:
    assert nearest_rank([5.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert nearest_rank([5.0, 1.0, 3.0, 2.0], 0.95) == 5.0
    assert nearest_rank([7.0], 0.5) == 7.0


def test_the_sample_is_balanced_and_does_not_depend_on_order() -> None:
    first = balanced(ROWS, 4)
    assert sorted(row.label for row in first) == ["a", "a", "b", "b"]
    assert balanced(ROWS[::-1], 4) == first
    assert len(balanced(ROWS, 99)) == len(ROWS)


def test_two_candidates_of_one_name_are_refused() -> None:
    one = {"name": "x", "source": "path:x", "licence": "MIT"}
    with pytest.raises(ValidationError, match="same name"):
        settings(candidates=[one, one])
