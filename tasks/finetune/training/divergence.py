"""When training has left the ground: a pure rule over the losses so far, so a resumed run judges alike.

check(losses, factor=2.0, steps=20)         # raises Diverged
"""

import math
from collections.abc import Sequence

from infra.errors import Diverged

# Losses whose mean is one smoothed value.
WINDOW = 10
# A start below this is no measure: doubling a loss of 0.1 is noise.
FLOOR = 1.0
HINT = "lower training.learning_rate, or raise training.warmup_ratio"


def check(losses: Sequence[float], factor: float, steps: int) -> None:
    """Raises Diverged when the last loss is not finite, or when the mean of the last losses has been above
    `factor` times the mean of the first for `steps` steps in a row."""
    if losses and not math.isfinite(losses[-1]):
        raise Diverged(f"training diverged at step {len(losses)}: loss is {losses[-1]}", HINT)
    if len(losses) < WINDOW + steps:
        return
    start = max(_mean(losses[:WINDOW]), FLOOR)
    recent = [_mean(losses[end - WINDOW : end]) for end in range(len(losses) - steps + 1, len(losses) + 1)]
    if min(recent) > factor * start:
        raise Diverged(
            f"training diverged at step {len(losses)}: for {steps} steps the loss has been at"
            f" {recent[-1]:.2f}, more than {factor:g} times its start ({start:.2f})",
            HINT,
        )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
