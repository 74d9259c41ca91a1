"""Prompt comparison: never on the test split, no winner by chance, family-wise honest."""

from collections.abc import Sequence

import numpy as np
import pytest

from infra.digest import digest_bytes
from infra.errors import DataError
from infra.prompts import PromptTemplate
from tasks.develop.prompts.comparison import Contender, SplitRows, compare_prompts, holm, judge_pairs
from tasks.develop.prompts.report import comparison_table
from tasks.records import Row, SplitName

BASE, ROWS = digest_bytes(b"base"), digest_bytes(b"rows")


def contender(name: str, labels: tuple[str, ...] = ("a", "b")) -> Contender:
    definition = {
        "name": name,
        "system": f"{name} {{{{labels}}}}",
        "user": "{{text}}",
        "labels": list(labels),
    }
    return Contender(name, PromptTemplate.from_definition(definition))


def rows(n: int, split: SplitName = "validation", label: str = "a") -> SplitRows:
    return SplitRows(split, ROWS, tuple(Row(text=str(at), label=label, group=str(at)) for at in range(n)))


def answers(right: dict[str, int]):  # type: ignore[no-untyped-def]  # the inner function says it all
    """The first `right[name]` rows of a template are answered right."""

    def answer(template: PromptTemplate, texts: Sequence[str]) -> list[str]:
        return ["a" if int(text) < right[template.name] else "b" for text in texts]

    return answer


@pytest.mark.parametrize("split", ["test", "train"])
def test_only_the_validation_split_is_accepted(split: SplitName) -> None:
    with pytest.raises(DataError, match=f"on the validation split, got {split}"):
        compare_prompts([contender("x"), contender("y")], rows(9, split), answers({}), base=BASE)


@pytest.mark.parametrize(
    ("contenders", "data", "reason"),
    [
        ([contender("x")], rows(9), "got 1 contenders"),
        ([contender("x"), contender("x")], rows(9), "1 different"),
        ([contender("x"), contender("y")], rows(0), "no validation rows"),
        ([contender("x"), contender("y", ("a", "c"))], rows(9), "labels"),
        ([contender("x"), contender("y")], rows(9, label="z"), "labels"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    contenders: list[Contender], data: SplitRows, reason: str
) -> None:
    with pytest.raises(DataError, match=reason):
        compare_prompts(contenders, data, answers({"x": 1, "y": 1}), base=BASE)


def test_a_clear_lead_wins() -> None:
    names = {"x": 150, "y": 90, "z": 80}
    found = compare_prompts([contender(name) for name in names], rows(220), answers(names), base=BASE)
    assert found.winner == "x"
    assert {(pair.first, pair.second) for pair in found.pairs} == {("x", "y"), ("x", "z"), ("y", "z")}
    assert all(pair.lower <= pair.difference <= pair.upper for pair in found.pairs)
    assert "x is better than every other" in comparison_table(found)


def test_a_lead_over_all_but_one_is_no_win() -> None:
    names = {"x": 150, "y": 148, "z": 80}
    found = compare_prompts([contender(name) for name in names], rows(220), answers(names), base=BASE)
    assert found.winner is None
    assert found.reason == "no winner: x leads, but is not told apart from y"


def test_the_later_contender_can_win() -> None:
    names = {"x": 80, "y": 150}
    found = compare_prompts([contender(name) for name in names], rows(220), answers(names), base=BASE)
    assert found.winner == "y"


def test_six_rows_prove_little() -> None:
    names = {"x": 5, "y": 0}
    found = compare_prompts([contender(name) for name in names], rows(6), answers(names), base=BASE)
    assert found.winner is None


def test_holm_multiplies_by_the_hypotheses_that_are_left() -> None:
    assert holm([0.01, 0.02, 0.04]) == pytest.approx([0.03, 0.04, 0.04])
    assert holm([0.03, 0.02]) == pytest.approx([0.06, 0.06])
    assert holm([0.9, 0.95]) == [1.0, 1.0]


def test_equal_prompts_are_rarely_told_apart() -> None:
    # Four prompts of the same quality: about 5 % of the families may find any difference, not 5 % a pair.
    rng = np.random.default_rng(0)
    names = ["w", "x", "y", "z"]
    wrong = 0
    for _ in range(10):
        correct = [[bool(each) for each in rng.random(120) < 0.6] for _ in names]
        wrong += any(pair.separated for pair in judge_pairs(names, correct, 0.05))
    assert wrong <= 2
