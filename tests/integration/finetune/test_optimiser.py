"""Our flat optimiser against torch's AdamW, and the schedule of its rate."""

import pytest

from infra.errors import Diverged


def test_steps_are_those_of_torch() -> None:
    import torch

    from tasks.finetune.training.optimiser import BETA_MEAN, BETA_SQUARE, EPSILON, Adam

    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(100, generator=generator)
    theirs = torch.nn.Parameter(ours.clone())
    adam = Adam(ours, clip_norm=1.0)
    reference = torch.optim.AdamW([theirs], betas=(BETA_MEAN, BETA_SQUARE), eps=EPSILON, weight_decay=0)
    for number, size in enumerate([0.01, 0.1, 5.0, 0.001], 1):  # some are clipped, some are not
        grad = torch.randn(100, generator=generator) * size
        theirs.grad = grad.clone()
        expected = torch.nn.utils.clip_grad_norm_([theirs], 1.0)
        reference.param_groups[0]["lr"] = rate = 0.01 * number
        reference.step()
        assert adam.step(grad, number, rate) == pytest.approx(float(expected))
        torch.testing.assert_close(ours, theirs.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_refuses_a_gradient_that_is_not_finite(bad: float) -> None:
    import torch

    from tasks.finetune.training.optimiser import Adam

    master = torch.ones(3)
    with pytest.raises(Diverged, match="diverged at step 7"):
        Adam(master, 1.0).step(torch.tensor([1.0, bad, 1.0]), 7, 0.1)
    assert master.tolist() == [1, 1, 1]


def test_rate_rises_then_falls_to_nothing() -> None:
    from tasks.finetune.training.optimiser import learning_rate

    rates = [learning_rate(step, 100, 0.002, 0.1) for step in range(1, 101)]
    assert rates.index(max(rates)) == 9
    assert max(rates) == pytest.approx(0.002)
    assert rates[0] == pytest.approx(0.0002)
    assert rates[9:] == sorted(rates[9:], reverse=True)
    assert rates[-1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("schedule", "half", "last"), [("cosine", 0.5, 0.0), ("linear", 0.5, 0.0), ("constant", 1.0, 1.0)]
)
def test_schedules(schedule: str, half: float, last: float) -> None:
    from tasks.finetune.training.optimiser import learning_rate

    rates = [learning_rate(step, 110, 1.0, 10 / 110, schedule) for step in range(1, 111)]  # type: ignore[arg-type]
    assert rates[9] == pytest.approx(1.0)
    assert (rates[59], rates[109]) == (pytest.approx(half), pytest.approx(last, abs=1e-12))


def test_a_share_of_the_peak_is_left() -> None:
    from tasks.finetune.training.optimiser import learning_rate

    assert learning_rate(100, 100, 0.002, 0.1, "cosine", 0.1) == pytest.approx(0.0002)
    assert learning_rate(10, 100, 0.002, 0.1, "cosine", 0.1) == pytest.approx(0.002)
