"""Everything that one candidate is asked for fairness, as measurements and one report.

swapped = measure_swaps(served, rows, lists, settings)
associated = measure_associations(base_then_tuned, settings)       # None where the corpora are not installed
report = fairness_report(swapped, associated, settings)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.config.fairness import FairnessSettings
from infra.errors import DataError
from tasks.records import Row
from tasks.records.fairness import ChangedAnswer, FairnessReport, GroupOutcome
from tasks.validate.fairness.ability import ability_outcome
from tasks.validate.fairness.blocks import Block, build_blocks
from tasks.validate.fairness.corpora import Question, StereotypePair, origin
from tasks.validate.fairness.flips import Answers, Flips, flips
from tasks.validate.fairness.lists import Lists
from tasks.validate.fairness.quality import Quality, group_quality
from tasks.validate.fairness.stereotypes import Preference, StereotypeOutcome, stereotype_outcome

OWN_LISTS = "written for this project, see configs/fairness"
_CHANGED_SHOWN = 20

Ask = Callable[[Sequence[str]], Sequence[str]]
"""Texts to answers, in order: the served unit."""


@dataclass(frozen=True)
class Swapped:
    """What the swaps showed."""

    blocks: tuple[Block, ...]
    answers: Answers
    flips: Flips
    quality: Quality

    @property
    def rows(self) -> int:
        """Different rows that were asked about."""
        return len({block.row for block in self.blocks})


@dataclass(frozen=True)
class Asked:
    """Answers of base and tuned model to the corpora."""

    pairs: Sequence[StereotypePair]
    base: Sequence[Preference]
    tuned: Sequence[Preference]
    questions: Sequence[Question]
    letters: Sequence[str]


@dataclass(frozen=True)
class Associated:
    """What the corpora showed."""

    stereotypes: StereotypeOutcome
    ability: tuple[GroupOutcome, ...]
    remark: str


def measure_swaps(ask: Ask, rows: Sequence[Row], lists: Lists, settings: FairnessSettings) -> Swapped:
    """Answers to the rows with names, genders, places and ways of writing swapped, compared within blocks.

    Raises DataError for no rows, or another number of answers than texts.
    """
    if not rows:
        raise DataError("no rows to measure fairness on", "an empty comparison shows nothing")
    blocks = build_blocks([row.text for row in rows], lists, rows=settings.rows, seed=settings.seed)
    texts = list(dict.fromkeys(text for block in blocks for text in block.texts.values()))
    given = ask(texts)
    if len(given) != len(texts):
        raise DataError(f"got {len(given)} answers, expected {len(texts)}")
    answers = dict(zip(texts, given, strict=True))
    return Swapped(
        tuple(blocks),
        answers,
        flips(blocks, answers, settings),
        group_quality(blocks, answers, [row.label for row in rows], settings),
    )


def measure_associations(asked: Asked, settings: FairnessSettings) -> Associated:
    """Raises DataError when an answer is missing."""
    groups, remark = ability_outcome(asked.questions, asked.letters, settings)
    return Associated(stereotype_outcome(asked.pairs, asked.base, asked.tuned, settings), groups, remark)


def fairness_report(
    swapped: Swapped,
    associated: Associated | None,
    settings: FairnessSettings,
    *,
    redact: Callable[[str], str],
    skipped: Sequence[str] = (),
    seconds: float,
) -> FairnessReport:
    """All groups, the gaps, and some changed answers with `redact` applied to their texts."""
    groups = [*swapped.flips.groups, *swapped.quality.groups]
    smallest = min(swapped.quality.groups, key=lambda group: group.n)
    corpora = {"word lists": OWN_LISTS}
    if associated is not None:
        groups += [*associated.stereotypes.groups, *associated.ability]
        corpora |= {name: origin(name) for name in ("StereoSet", "BBQ")}
    return FairnessReport(
        seed=settings.seed,
        groups=tuple(groups),
        band=settings.band,
        smallest_group=f"{smallest.dimension}: {smallest.group} ({smallest.n} rows)",
        corpora=corpora,
        skipped=tuple(skipped),
        remarks=() if associated is None else (associated.remark,),
        seconds=seconds,
        confidence=settings.confidence,
        rows=swapped.rows,
        carried=sum(block.carried for block in swapped.blocks),
        texts=len(swapped.answers),
        gaps=swapped.quality.gaps,
        changed=_changed(swapped, redact),
    )


def _changed(swapped: Swapped, redact: Callable[[str], str]) -> tuple[ChangedAnswer, ...]:
    """The first pair of every block whose answers differ, dimensions by turns."""
    found: dict[str, list[ChangedAnswer]] = {}
    for block in swapped.blocks:
        (first, text), *others = block.texts.items()
        for group, other in others:
            answers = swapped.answers[text], swapped.answers[other]
            if answers[0] != answers[1]:
                change = ChangedAnswer(
                    dimension=block.dimension,
                    groups=(first, group),
                    texts=(redact(text), redact(other)),
                    answers=answers,
                )
                found.setdefault(block.dimension, []).append(change)
                break
    depth = max(map(len, found.values()), default=0)
    turns = [some[at] for at in range(depth) for some in found.values() if at < len(some)]
    return tuple(turns[:_CHANGED_SHOWN])
