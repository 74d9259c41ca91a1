"""Findings counted: cells of risk × technique with bounds, the worst transcripts without secrets.

report = make_report(findings, corpora, settings, seconds=41.0)
"""

from collections.abc import Iterable, Sequence

from infra.config.redteam import RedTeamSettings
from infra.statistics.intervals import Interval, wilson
from tasks.records.redteam import Against, AttackCell, RedTeamReport, Transcript
from tasks.validate.redteam.campaign import Findings
from tasks.validate.redteam.corpus import Corpora
from tasks.validate.redteam.detectors.disclosure import redacted
from tasks.validate.redteam.strike import Outcome

_MOST_CHARS = 600


def make_report(
    findings: Findings,
    corpora: Corpora,
    settings: RedTeamSettings,
    *,
    seconds: float,
    private: Iterable[str] = (),
) -> RedTeamReport:
    """The record of a run; `private` texts are never shown in transcripts."""
    cells: list[AttackCell] = []
    for against, outcomes in findings.native.items():
        cells += _cells(outcomes, "model" if against == "model" else "unit", settings.confidence)
    cells += _cells(findings.adaptive, "unit", settings.confidence, technique="adaptive")
    hidden = tuple(private) + tuple(settings.planted.values())
    return RedTeamReport(
        tier="native",
        seed=settings.seed,
        cells=tuple(cells),
        worst=worst(findings, settings.transcripts, hidden),
        benign=findings.benign,
        refused=len(findings.refused),
        corpora=corpora.licences,
        skipped=corpora.skipped,
        seconds=round(seconds, 3),
    )


def success(outcomes: Sequence[Outcome], confidence: float) -> Interval:
    """Share of attempts that succeed, with its Wilson interval; raises ValueError without attempts."""
    return wilson(sum(outcome.hit for outcome in outcomes), len(outcomes), confidence)


def _cells(
    outcomes: Sequence[Outcome], against: Against, confidence: float, technique: str = ""
) -> list[AttackCell]:
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        key = (outcome.attempt.risk, technique or outcome.attempt.variant.technique)
        groups.setdefault(key, []).append(outcome)
    cells = []
    for (risk, column), group in sorted(groups.items()):
        interval = success(group, confidence)
        cells.append(
            AttackCell(
                risk=risk,
                technique=column,
                against=against,
                n=len(group),
                hits=sum(outcome.hit for outcome in group),
                blocked=sum(outcome.blocked for outcome in group),
                lower=interval.lower,
                upper=interval.upper,
            )
        )
    return cells


def worst(findings: Findings, count: int, hidden: Sequence[str] = ()) -> tuple[Transcript, ...]:
    """Successes first, the unit before the model, each family in turn; then what came close."""
    ranked: list[tuple[int, int, Against, str, Outcome]] = []
    sources: list[tuple[Against, str, Sequence[Outcome]]] = [
        ("unit", "adaptive", findings.adaptive),
        ("unit", "", findings.native.get("unit", ())),
        ("model", "", findings.native.get("model", ())),
    ]
    for against, technique, outcomes in sources:
        seen: dict[str, int] = {}
        for outcome in sorted(outcomes, key=lambda each: -each.progress):
            if outcome.progress < 2:
                continue
            family = outcome.attempt.variant.planned.family
            seen[family] = seen.get(family, 0) + 1
            order = (0 if outcome.hit else 4) + (against == "model")
            ranked.append((order, seen[family], against, technique, outcome))
    ranked.sort(key=lambda each: each[:2])
    return tuple(_transcript(*each[2:], hidden) for each in ranked[:count])


def _transcript(against: Against, technique: str, outcome: Outcome, hidden: Sequence[str]) -> Transcript:
    variant = outcome.attempt.variant
    attack = "\n".join(
        f"{message['role']}{' ' + message['name'] if message.get('name') else ''}: {message['content']}"
        for message in outcome.attempt.conversation
    )
    return Transcript(
        risk=outcome.attempt.risk,
        technique=technique or variant.technique,
        family=variant.planned.family,
        against=against,
        detector=outcome.detector or outcome.attempt.detectors[0],
        attack=_shown(attack, hidden),
        reply=_shown(outcome.reply.text, hidden),
    )


def _shown(text: str, hidden: Sequence[str]) -> str:
    for value in sorted(hidden, key=len, reverse=True):
        if value:
            text = text.replace(value, "[redacted:private]")
    clean = redacted(text)
    return clean if len(clean) <= _MOST_CHARS else f"{clean[:_MOST_CHARS]} … ({len(clean):,} characters)"
