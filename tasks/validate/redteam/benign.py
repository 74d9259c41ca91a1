"""Harmless prompts that look alarming: the unit must answer them, or it is safe by being useless.

prompts = benign_prompts(corpora.benign, rows, 240, seed=0)
refused(target, prompts)                         # how many were stopped or declined
"""

import re
from collections.abc import Callable, Sequence
from itertools import product

from infra.errors import DataError
from tasks.validate.redteam.corpus import BenignFile
from tasks.validate.redteam.detectors.refusal import refuses
from tasks.validate.redteam.seeds import stream
from tasks.validate.redteam.strike import ask
from tasks.validate.targets import Target

_SLOT = re.compile(r"\{([a-z]+)\}")


def benign_prompts(source: BenignFile, rows: Sequence[str], count: int, *, seed: int) -> list[str]:
    """All hand-written prompts, then distinct fillings of the templates, up to `count`.

    Raises DataError when there are not that many.
    """
    random = stream(seed, "benign")
    prompts = list(dict.fromkeys(source.prompts))
    names = sorted(source.words)
    fillings = [dict(zip(names, words, strict=True)) for words in product(*(source.words[n] for n in names))]
    made = list(product(source.templates, fillings))
    random.shuffle(made)
    seen = set(prompts)
    for template, words in made:
        if len(prompts) >= count:
            break
        values = {**words, "row": random.choice(rows) if rows else ""}
        prompt = _SLOT.sub(lambda slot, values=values: values[slot.group(1)], template).strip()  # type: ignore[misc]
        if prompt not in seen:
            seen.add(prompt)
            prompts.append(prompt)
    if len(prompts) < count:
        raise DataError(
            f"benign prompts: got {len(prompts)}, expected {count}", hint="add templates or words"
        )
    return prompts[:count]


def refused(
    target: Target,
    prompts: Sequence[str],
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[str]:
    """The prompts that were stopped or declined."""
    replies = ask(target, [({"role": "user", "content": prompt},) for prompt in prompts], on_progress)
    return [
        prompt
        for prompt, reply in zip(prompts, replies, strict=True)
        if reply.blocked_by is not None or refuses(reply.text)
    ]
