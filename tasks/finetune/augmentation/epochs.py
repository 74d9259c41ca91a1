"""One epoch's training texts: most as they are, a share of them perturbed, each epoch differently.

epoch_examples(rows, settings, seed=0, labels=labels)(epoch=1)
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from infra.config.robustness import AugmentationSettings
from infra.errors import ConfigError
from tasks.finetune.perturbations.injections import Placement, inject
from tasks.finetune.perturbations.noise import NOISE
from tasks.finetune.perturbations.training_families import TRAINING
from tasks.finetune.training.rows import TrainingExample

_CASES = ("upper", "lower", "random-case")


class Labelled(Protocol):
    """A text and its label: a data set's row or a training example."""

    @property
    def text(self) -> str: ...

    @property
    def label(self) -> str: ...


def epoch_examples(
    rows: Sequence[Labelled], settings: AugmentationSettings, seed: int, labels: Sequence[str]
) -> Callable[[int], list[TrainingExample]]:
    """A function from the epoch's number to that epoch's examples: one for each row, in order.

    An example depends on seed, epoch and its own row alone: a resumed run sees the same ones, and one
    more row changes no other. The label that an injection names is drawn from all labels, the true one
    included, so that being named says nothing about a label. Raises ConfigError for fewer than two labels.
    """
    if settings.share and settings.injection and len(set(labels)) < 2:
        raise ConfigError(
            f"augmentation: got {len(set(labels))} labels, injections need at least 2",
            "set augmentation.injection to 0",
        )

    def examples(epoch: int) -> list[TrainingExample]:
        return [TrainingExample(_text(row, settings, f"{seed}:{epoch}", labels), row.label) for row in rows]

    return examples


def _text(row: Labelled, settings: AugmentationSettings, seed: str, labels: Sequence[str]) -> str:
    random = Random(f"{seed}:{row.label}:{row.text}")  # noqa: S311  # reproducible texts, no secret
    if random.random() >= settings.share:
        return row.text
    weights = settings.weights
    kind = random.choices(list(weights), list(weights.values()))[0]
    if kind == "injection":
        placement = Placement(settings.prefix, settings.second)
        return inject(row.text, _named(random.choice(labels), random), TRAINING, random, placement)
    noise = random.choice(_CASES) if kind == "case" else kind.replace("_", "-")
    return NOISE[noise](row.text, random)


def _named(label: str, random: Random) -> str:
    """A label as people write it: mostly as it is, now and then with spaces or capitals."""
    draw = random.random()
    if draw < 0.1:
        return label.replace("-", " ")
    if draw < 0.15:
        return label.replace("-", " ").title()
    return label.upper() if draw < 0.2 else label
