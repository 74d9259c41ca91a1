"""Divergence: what stops a run, and what is only noise."""

import pytest

from infra.errors import Diverged, TrainingError
from tasks.finetune.training.divergence import WINDOW, check

START = [3.0] * WINDOW


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite(bad: float) -> None:
    with pytest.raises(Diverged, match="diverged at step 3: loss is") as caught:
        check([1.0, 0.9, bad], factor=2.0, steps=5)
    assert "learning_rate" in caught.value.hint
    assert isinstance(caught.value, TrainingError)


def test_a_loss_that_stays_high() -> None:
    losses = START + [8.0] * (WINDOW + 5)
    with pytest.raises(Diverged, match=r"for 5 steps the loss has been at 8\.00, more than 2 times"):
        check(losses, factor=2.0, steps=5)


def first_refusal(losses: list[float], steps: int) -> int:
    for length in range(1, len(losses) + 1):
        try:
            check(losses[:length], factor=2.0, steps=steps)
        except Diverged:
            return length
    return 0


def test_it_takes_as_many_steps_as_asked_for() -> None:
    losses = START + [100.0] * 40
    assert first_refusal(losses, 7) == first_refusal(losses, 3) + 4


@pytest.mark.parametrize(
    "losses",
    [
        [],
        [5.0],
        START + [8.0] * 6 + [1.0] * 30,  # a hill
        START + [5.9] * 60,  # below twice the start
        [3.0, 30.0] * 3 + [3.0] * 40,  # single outliers
        [0.1] * WINDOW + [0.5] * 60,  # five times a start that is nearly nothing
    ],
)
def test_noise_is_no_divergence(losses: list[float]) -> None:
    assert first_refusal(losses, 10) == 0
