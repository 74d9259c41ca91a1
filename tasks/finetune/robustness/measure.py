"""A scorer's answers to clean, perturbed and injected rows, as one report.

report = measure_robustness(LabelScorer(tuned, prompt.messages, labels), rows, settings)

Inputs that the prompt renders alike are scored once: what normalisation undoes costs nothing to measure.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from infra.config.robustness import RobustnessSettings
from infra.errors import DataError
from infra.statistics.intervals import Interval, wilson
from infra.statistics.paired import discordance, paired_difference
from tasks.finetune.augmentation.epochs import Labelled
from tasks.finetune.perturbations.noise import NOISE, perturb
from tasks.finetune.robustness.attacks import Attack, injected_rows
from tasks.finetune.robustness.rows import evenly
from tasks.records.robustness import AttackOutcome, Bounds, PerturbationOutcome, RobustnessReport


class Answer(Protocol):
    """What a scorer says about one text."""

    @property
    def label(self) -> str:
        """The label with the highest probability."""


class Scorer(Protocol):
    """Anything that labels texts, such as `infra.models.scoring.LabelScorer`."""

    @property
    def labels(self) -> Sequence[str]:
        """The closed set of labels."""

    @property
    def render(self) -> Callable[[str], Sequence[Mapping[str, str]]]:
        """The conversation that a text becomes."""

    def score(self, texts: Sequence[str]) -> Sequence[Answer]:
        """One answer for every text, in order."""


def measure_robustness(
    scorer: Scorer, rows: Sequence[Labelled], settings: RobustnessSettings
) -> RobustnessReport:
    """Accuracy under every kind of noise and every held-out injection, against the clean answers.

    Uses at most `settings.rows` rows, the same number of every label as far as there are. Raises
    DataError for no rows or fewer than two labels.
    """
    if not rows:
        raise DataError("no rows to measure robustness on", "an empty measurement shows nothing")
    started, seed = time.perf_counter(), settings.seed
    rows = evenly(rows, settings.rows, seed)
    attacks = injected_rows(rows, scorer.labels, seed)
    texts = {"clean": [row.text for row in rows], "injected": [attack.text for attack in attacks]}
    texts |= {kind: [perturb(row.text, kind, seed) for row in rows] for kind in NOISE}
    answers, scored = _answers(scorer, texts)
    truth = [row.label for row in rows]
    level = settings.confidence
    right = {kind: _equal(given, truth) for kind, given in answers.items()}
    obeyed = _equal(answers["injected"], [attack.named for attack in attacks])
    return RobustnessReport(
        rows=len(rows),
        seed=seed,
        confidence=level,
        clean_accuracy=_share(right["clean"], level),
        perturbations=tuple(
            _outcome(kind, right, _equal(answers[kind], answers["clean"]), settings) for kind in NOISE
        ),
        attacks=_by_family(attacks, right["injected"], obeyed, answers["clean"], level),
        injected_accuracy=_share(right["injected"], level),
        injection_success=_share(obeyed, level),
        scored=scored,
        seconds=time.perf_counter() - started,
    )


def _outcome(
    kind: str, right: Mapping[str, Sequence[bool]], same: Sequence[bool], settings: RobustnessSettings
) -> PerturbationOutcome:
    # Whoever looks at the worst of several kinds needs intervals that hold for all at once (Bonferroni).
    level = 1 - (1 - settings.confidence) / len(NOISE)
    drop = paired_difference(
        discordance(right["clean"], right[kind]), confidence=level, resamples=settings.resamples
    )
    return PerturbationOutcome(
        kind=kind,
        accuracy=_share(right[kind], settings.confidence),
        drop=_bounds(drop),
        consistency=_share(same, level),
    )


def _answers(scorer: Scorer, texts: Mapping[str, Sequence[str]]) -> tuple[dict[str, list[str]], int]:
    """The label given to each text, by kind, and how many different inputs were scored."""
    key = {
        text: json.dumps([dict(message) for message in scorer.render(text)])
        for some in texts.values()
        for text in some
    }
    distinct = {rendered: text for text, rendered in key.items()}
    answers = scorer.score(list(distinct.values()))
    if len(answers) != len(distinct):
        raise DataError(f"scorer gave {len(answers)} answers, expected {len(distinct)}")
    label = {rendered: answer.label for rendered, answer in zip(distinct, answers, strict=True)}
    return {kind: [label[key[text]] for text in some] for kind, some in texts.items()}, len(distinct)


def _by_family(
    attacks: Sequence[Attack],
    right: Sequence[bool],
    obeyed: Sequence[bool],
    clean: Sequence[str],
    confidence: float,
) -> tuple[AttackOutcome, ...]:
    families = dict.fromkeys(attack.family for attack in attacks)
    at = {name: [i for i, attack in enumerate(attacks) if attack.family == name] for name in families}
    return tuple(
        AttackOutcome(
            family=name,
            n=len(indices),
            right=sum(right[i] for i in indices),
            obeyed=sum(obeyed[i] for i in indices),
            obeyed_when_clean=sum(clean[i] == attacks[i].named for i in indices),
            success=_share([obeyed[i] for i in indices], confidence),
        )
        for name, indices in sorted(at.items())
    )


def _equal(given: Sequence[str], wanted: Sequence[str]) -> list[bool]:
    return [one == other for one, other in zip(given, wanted, strict=True)]


def _share(holds: Sequence[bool], confidence: float) -> Bounds:
    return _bounds(wilson(sum(holds), len(holds), confidence))


def _bounds(interval: Interval) -> Bounds:
    return Bounds(value=interval.value, lower=interval.lower, upper=interval.upper)
