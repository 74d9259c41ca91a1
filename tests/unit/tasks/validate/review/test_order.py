"""Answers that depend on their neighbours are counted; a scorer that drops some is refused."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from infra.errors import DataError
from tasks.validate.review.order import evenly, order_effect


@dataclass
class Says:
    label: str
    log_probs: tuple[float, ...] = (0.0,)


class ByText:
    """The answer is the text's own."""

    labels = ("a",)

    def score(self, texts: Sequence[str]) -> list[Says]:
        return [Says(text) for text in texts]


class ByPlace:
    """The answer is that of the row before: what a mixed-up batch looks like."""

    labels = ("a",)

    def score(self, texts: Sequence[str]) -> list[Says]:
        return [Says(text) for text in (texts[-1], *texts[:-1])]


class Forgetful(ByText):
    def score(self, texts: Sequence[str]) -> list[Says]:
        return super().score(texts)[:-1]


def test_independent_answers_do_not_change() -> None:
    assert order_effect(ByText(), ByText(), ["a", "b", "c"]) == 0


def test_answers_that_leak_between_rows_do() -> None:
    assert order_effect(ByPlace(), ByPlace(), ["a", "b", "c"]) == 3


@pytest.mark.parametrize("texts", [[], ["a", "b"]])
def test_answers_that_are_missing_are_refused(texts: list[str]) -> None:
    with pytest.raises(DataError, match="answers to"):
        order_effect(ByText(), Forgetful(), texts)


def test_rows_are_taken_from_everywhere() -> None:
    texts = [str(number) for number in range(10)]
    assert evenly(texts, 4) == ["0", "2", "5", "7"]
    assert evenly(texts, 99) == texts
