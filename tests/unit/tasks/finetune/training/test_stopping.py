"""Which evaluation counts as the best, and when training stops waiting for a better one."""

import pytest

from tasks.finetune.training.stopping import Evaluation, best_of, exhausted, is_better

NAN = float("nan")


def evaluations(*values: tuple[float, float]) -> list[Evaluation]:
    return [Evaluation(step, accuracy, loss) for step, (accuracy, loss) in enumerate(values, 1)]


def test_nothing_is_best_without_evaluations() -> None:
    assert best_of([], "accuracy") is None
    assert not exhausted([], "accuracy", 1)


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("accuracy", [(0.5, 1.0), (0.7, 2.0), (0.6, 0.5)], 2),
        ("loss", [(0.5, 1.0), (0.7, 2.0), (0.6, 0.5)], 3),
        ("accuracy", [(0.7, 1.0), (0.7, 0.9), (0.7, 0.95)], 2),
        ("loss", [(0.7, 1.0), (0.8, 1.0)], 2),
        ("accuracy", [(0.7, 1.0), (0.7, 1.0)], 1),
        ("accuracy", [(NAN, 0.1), (0.1, 3.0)], 2),
        ("loss", [(0.9, NAN), (0.1, 3.0)], 2),
    ],
)
def test_best(metric: str, values: list[tuple[float, float]], best: int) -> None:
    found = best_of(evaluations(*values), metric)  # type: ignore[arg-type]  # parametrised text
    assert found is not None
    assert found.step == best


def test_an_equal_one_is_not_better() -> None:
    first, second = evaluations((0.7, 1.0), (0.7, 1.0))
    assert not is_better(second, first, "accuracy")
    assert is_better(first, None, "accuracy")


@pytest.mark.parametrize(
    ("accuracies", "patience", "stops"),
    [
        ([0.5, 0.6], 1, False),
        ([0.6, 0.5], 1, True),
        ([0.6, 0.5], 2, False),
        ([0.6, 0.5, 0.6], 2, True),
        ([0.6, 0.5, 0.61], 2, False),
        ([0.6, 0.5, 0.4, 0.3], None, False),
    ],
)
def test_patience(accuracies: list[float], patience: int | None, stops: bool) -> None:
    found = evaluations(*((accuracy, 1.0) for accuracy in accuracies))
    assert exhausted(found, "accuracy", patience) is stops
