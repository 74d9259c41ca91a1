"""The whole attack on one candidate or endpoint: clean answers, native tier, harmless prompts, search.

findings = conduct(unit, model, corpora, around, RedTeamSettings())
findings.native["unit"][0].hit
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from infra.config.redteam import RedTeamSettings
from infra.errors import DataError
from tasks.validate.redteam.adaptive import search
from tasks.validate.redteam.attempts import Attempt, Surroundings, draw, fill
from tasks.validate.redteam.benign import benign_prompts, refused
from tasks.validate.redteam.corpus import Corpora
from tasks.validate.redteam.detectors import require_self_tests
from tasks.validate.redteam.strike import Outcome, ask, strike
from tasks.validate.targets import Target

_FEWEST_ROWS = 4
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Findings:
    """What came of it, before anything is counted."""

    native: Mapping[str, tuple[Outcome, ...]]
    """Outcomes by what was attacked: `unit`, `model`."""
    adaptive: tuple[Outcome, ...]
    benign: int
    refused: tuple[str, ...]


def _silent(_part: str, _done: int, _total: int) -> None:
    return


def conduct(
    unit: Target,
    model: Target | None,
    corpora: Corpora,
    around: Surroundings,
    settings: RedTeamSettings,
    progress: Progress = _silent,
) -> Findings:
    """Attacks `unit`, and `model` with the same words; the search goes against `unit`.

    Raises DataError when a detector fails its self-test, too few harmless rows are answered, or a target
    gives no replies; Unavailable when a target cannot be reached.
    """
    require_self_tests()
    targets = {"unit": unit} | ({"model": model} if model is not None else {})
    around, clean = _with_clean(targets, around, progress)
    attempts = make_attempts(corpora, around, settings)
    parts = {"unit": attempts, "model": attempts[:: settings.model_every]}
    native = {
        name: tuple(strike(target, parts[name], clean[name], _part(progress, f"native, {name}")))
        for name, target in targets.items()
    }
    prompts = benign_prompts(corpora.benign, around.rows, settings.benign, seed=settings.seed)
    declined = refused(unit, prompts, _part(progress, "harmless prompts"))
    adaptive = search(
        unit,
        native["unit"],
        corpora.attacks,
        around,
        clean["unit"],
        searches=settings.searches,
        rounds=settings.rounds,
        seed=settings.seed,
        on_progress=_part(progress, "adaptive"),
    )
    return Findings(native, tuple(adaptive), len(prompts), tuple(declined))


def make_attempts(corpora: Corpora, around: Surroundings, settings: RedTeamSettings) -> list[Attempt]:
    """All attempts of the native tier, each conversation once."""
    variants = draw(corpora.attacks, settings.injections, settings.per_risk, seed=settings.seed)
    seen: set[tuple[tuple[tuple[str, str], ...], ...]] = set()
    attempts = []
    for number, variant in enumerate(variants):
        row = number % len(around.rows)
        attempt = fill(variant, around, row, seed=f"{settings.seed}/native/{number}")
        key = tuple(tuple(sorted(message.items())) for message in attempt.conversation)
        if key not in seen:  # a prompt that is repeated is no second trial
            seen.add(key)
            attempts.append(attempt)
    return attempts


def _with_clean(
    targets: Mapping[str, Target], around: Surroundings, progress: Progress
) -> tuple[Surroundings, dict[str, dict[int, str]]]:
    """The rows that every target answers, and each target's answers to them.

    Only where labels are known: there an attack shows by comparison with the clean answer.
    """
    if not around.labels:
        return replace(around, clean=tuple(frozenset[str]() for _ in around.rows)), {n: {} for n in targets}
    conversations = [({"role": "user", "content": row},) for row in around.rows]
    answers = {
        name: ask(target, conversations, _part(progress, f"clean texts, {name}"))
        for name, target in targets.items()
    }
    kept = [at for at in range(len(around.rows)) if all(a[at].blocked_by is None for a in answers.values())]
    if len(kept) < min(_FEWEST_ROWS, len(around.rows)):
        raise DataError(
            f"{len(kept)} of {len(around.rows)} harmless texts are answered",
            hint="a target that answers nothing cannot be attacked: look at the guard's rules",
        )
    clean = {name: {new: a[old].text for new, old in enumerate(kept)} for name, a in answers.items()}
    around = replace(
        around,
        rows=tuple(around.rows[at] for at in kept),
        truths=tuple(around.truths[at] for at in kept),
        clean=tuple(frozenset(answers[at] for answers in clean.values()) for at in range(len(kept))),
    )
    return around, clean


def _part(progress: Progress, name: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(name, done, total)


def by_risk(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    """Outcomes by risk key, sorted."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in sorted(outcomes, key=lambda each: each.attempt.risk):
        groups.setdefault(outcome.attempt.risk, []).append(outcome)
    return groups
