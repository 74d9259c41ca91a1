"""Which evaluation was the best, and when to stop waiting for a better one: pure rules over evaluations.

is_better(new, best, metric="accuracy")
exhausted(evaluations, metric="accuracy", patience=2)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Metric = Literal["accuracy", "loss"]


@dataclass(frozen=True)
class Evaluation:
    """The validation rows scored after a step."""

    step: int
    accuracy: float
    """Share of rows whose right label is the likeliest, 0 to 1."""
    loss: float
    """Mean negative natural log of the right label's share."""

    def rank(self, metric: Metric) -> tuple[float, float]:
        """Larger is better; the other measure decides between equals. NaN ranks below everything."""
        accuracy = self.accuracy if self.accuracy == self.accuracy else float("-inf")
        loss = -self.loss if self.loss == self.loss else float("-inf")
        return (accuracy, loss) if metric == "accuracy" else (loss, accuracy)


def is_better(new: Evaluation, best: Evaluation | None, metric: Metric) -> bool:
    """Whether a new evaluation takes the place of the best; of equals the earlier one stays."""
    return best is None or new.rank(metric) > best.rank(metric)


def best_of(evaluations: Sequence[Evaluation], metric: Metric) -> Evaluation | None:
    """The evaluation whose weights are kept; None without evaluations."""
    best: Evaluation | None = None
    for evaluation in evaluations:
        best = evaluation if is_better(evaluation, best, metric) else best
    return best


def exhausted(evaluations: Sequence[Evaluation], metric: Metric, patience: int | None) -> bool:
    """Whether the last `patience` evaluations brought nothing better; None: never."""
    best = best_of(evaluations, metric)
    if patience is None or best is None:
        return False
    return sum(evaluation.step > best.step for evaluation in evaluations) >= patience
