"""The adaptive tier: a bounded search that changes its best attack and keeps what gets further.

outcomes = search(target, native, attacks, around, clean, searches=64, rounds=5, seed=0)

Each search has a family and a row of its own and starts from the family's best attack of the native tier;
its result is the best outcome of all its rounds. Same seed, same answers: same search.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from tasks.validate.redteam.attempts import Surroundings, Variant, fill, is_mutable
from tasks.validate.redteam.corpus import Planned
from tasks.validate.redteam.seeds import stream
from tasks.validate.redteam.strike import Outcome, strike
from tasks.validate.redteam.transforms import PLACES, TRANSFORMS
from tasks.validate.targets import Target


def search(
    target: Target,
    native: Sequence[Outcome],
    attacks: Sequence[Planned],
    around: Surroundings,
    clean: Mapping[int, str],
    *,
    searches: int,
    rounds: int,
    seed: int,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Outcome]:
    """The best outcome of every search; at most `searches` × `rounds` questions are asked."""
    best = best_of_families(native)
    order = _families(attacks, best)
    rows = sorted(clean) or list(range(len(around.rows)))
    starts = [best[order[number % len(order)]].attempt.variant for number in range(searches)]
    found: list[Outcome | None] = [None] * searches
    for turn in range(rounds):
        pending = [n for n, outcome in enumerate(found) if outcome is None or not outcome.hit]
        if not pending:
            break
        attempts = []
        for number in pending:
            random = stream(seed, "adaptive", number, turn)
            held = found[number]
            variant = starts[number] if held is None else mutate(held.attempt.variant, attacks, random)
            row = rows[number % len(rows)]
            attempts.append(fill(variant, around, row, seed=f"{seed}/adaptive/{number}"))
        for number, outcome in zip(pending, strike(target, attempts, clean), strict=True):
            held = found[number]
            if held is None or outcome.progress >= held.progress:
                found[number] = outcome
        on_progress(turn + 1, rounds)
    return [outcome for outcome in found if outcome is not None]


def best_of_families(outcomes: Sequence[Outcome]) -> dict[str, Outcome]:
    """The outcome of each family that got furthest; of equals the first."""
    best: dict[str, Outcome] = {}
    for outcome in outcomes:
        family = outcome.attempt.variant.planned.family
        if family not in best or outcome.progress > best[family].progress:
            best[family] = outcome
    return best


def mutate(variant: Variant, attacks: Sequence[Planned], random: Random) -> Variant:
    """One change: other words of the family, another disguise, another place, or a second attack behind."""
    family = [planned for planned in attacks if planned.family == variant.planned.family]
    texts = [planned for planned in family if is_mutable(planned.attack)]
    fixed = variant.planned not in texts
    move = random.choice(("words",) if fixed or not texts else ("words", "disguise", "place", "second"))
    if move == "words":
        planned = random.choice(family)
        return replace(variant, planned=planned) if planned in texts else Variant(planned)
    if move == "disguise":
        return replace(variant, transform=random.choice(list(TRANSFORMS)))
    if move == "place":
        return replace(variant, where=random.choice(list(PLACES)))
    return replace(variant, second=random.choice(texts))


def _families(attacks: Sequence[Planned], best: Mapping[str, Outcome]) -> list[str]:
    """Families in turn; those that want to be obeyed twice, for they work on any target."""
    obeyed = {planned.family for planned in attacks if planned.detector == "obey"}
    return [family for family in best for _ in range(2 if family in obeyed else 1)]
