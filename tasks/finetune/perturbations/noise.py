"""Every perturbation that keeps what a text says, by a stable name, seeded by text and seed.

perturb("Emotet sends mail.", "typos", seed=0)     # the same for the same three arguments
"""

from collections.abc import Callable
from random import Random

from infra.errors import ConfigError
from tasks.finetune.perturbations.case import lower, random_case, upper
from tasks.finetune.perturbations.disguises import homoglyphs, zero_width
from tasks.finetune.perturbations.misspellings import misspellings
from tasks.finetune.perturbations.typos import typos

Perturb = Callable[[str, Random], str]

NOISE: dict[str, Perturb] = {
    "upper": upper,
    "lower": lower,
    "random-case": random_case,
    "typos": typos,
    "misspellings": misspellings,
    "homoglyphs": homoglyphs,
    "zero-width": zero_width,
}
"""Kinds of noise, in the order in which they are reported."""


def perturb(text: str, kind: str, seed: int) -> str:
    """`text` under the noise `kind`. Raises ConfigError for a kind that is not in `NOISE`."""
    if kind not in NOISE:
        raise ConfigError(f"perturbation: got '{kind}'", f"known kinds: {', '.join(NOISE)}")
    random = Random(f"{seed}:{kind}:{text}")  # noqa: S311  # a reproducible text, no secret
    return NOISE[kind](text, random)
