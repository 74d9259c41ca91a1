"""What a release card says, as a record: the content of card.json. Pure; the page is drawn from it."""

import json

from pydantic import Field, ValidationError

from infra.errors import DataError
from tasks.deploy.card import quantity
from tasks.deploy.card.changes import Changes, changes_since
from tasks.deploy.card.comparison import Comparison, compare
from tasks.deploy.card.custody import Link, custody
from tasks.deploy.card.decision import Decision, decision_of
from tasks.deploy.card.facts import CardFacts
from tasks.deploy.card.fairness import Fairness, fairness_of
from tasks.deploy.card.gates import CheckRow, GateRow, RefusedRow, check_rows, gate_rows, refused_rows
from tasks.deploy.card.ingredients import Ingredient, ingredients_of
from tasks.deploy.card.operation import OperationRow, operation_rows
from tasks.deploy.card.redteam import AttackGrid, attack_grids
from tasks.records import Candidate, Evidence, EvidenceSet, GateReport, Record, Verdict

FORMAT = "assay.card/v2"
_MOST_LOSS_POINTS = 400


class Bar(Record):
    """One measured share with its interval, by label where it was sliced."""

    name: str
    value: float
    lower: float
    upper: float
    n: int
    slices: dict[str, float]


class Tile(Record):
    """A figure that is seen first."""

    name: str
    figure: str
    remark: str


class Card(Record):
    """Everything on the card. A release's id is not here: the card is part of what that id is taken of."""

    format: str = Field(FORMAT, pattern=r"^assay\.card/v2$")
    project: str
    title: str
    description: str
    unit: str
    sequence: int | None = Field(description="None: a candidate that is no release")
    created: str
    expires: str | None
    verdict: Verdict
    headline: str
    summary: str
    waived: int = Field(ge=0, description="gates that count only because a person answers for them")
    tiles: tuple[Tile, ...]
    gates: tuple[GateRow, ...]
    checks: tuple[CheckRow, ...]
    refused: tuple[RefusedRow, ...]
    comparison: Comparison
    redteam: tuple[AttackGrid, ...]
    fairness: Fairness | None
    operation: tuple[OperationRow, ...]
    changes: Changes
    custody: tuple[Link, ...]
    decision: Decision
    bars: tuple[Bar, ...]
    losses: tuple[tuple[int, float], ...]
    ingredients: tuple[Ingredient, ...]
    rows: dict[str, int]
    training: str

    @property
    def name(self) -> str:
        """What the card is about, for titles."""
        kind = f"release {self.sequence}" if self.sequence is not None else "candidate"
        return f"{self.title}: {kind}"


def card_json(card: Card) -> bytes:
    """The bytes of card.json; the same card gives the same."""
    return json.dumps(card.model_dump(mode="json"), indent=1, ensure_ascii=False).encode() + b"\n"


def read_card(data: bytes) -> Card:
    """The card in the bytes of a card.json; raises DataError for one of another format."""
    try:
        return Card.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise DataError(
            f"card.json: got another format than {FORMAT}: {where}: {first['msg']}",
            hint="the release was packaged by another version of Assay; its card.html can still be read",
        ) from error


def make_card(
    candidate: Candidate,
    report: GateReport,
    evidence: EvidenceSet,
    facts: CardFacts,
    *,
    sequence: int | None,
    created: str,
    expires: str | None = None,
) -> Card:
    """The card of a candidate under its gate report; a release has a sequence, a mere candidate none."""
    measured = {item.metric: item for item in evidence.evidence}
    bars, gates, champion = _bars(candidate, measured), gate_rows(report, evidence), facts.champion
    earlier = champion.evidence if champion is not None else None
    return Card(
        format=FORMAT,
        project=candidate.project,
        title=facts.title or candidate.project,
        description=facts.description,
        unit=candidate.unit,
        sequence=sequence,
        created=created,
        expires=expires,
        verdict=report.verdict,
        headline=report.headline,
        summary=_summary(bars),
        waived=sum(row.waiver is not None for row in gates),
        tiles=_tiles(gates, measured),
        gates=gates,
        checks=check_rows(evidence),
        refused=refused_rows(report),
        comparison=compare(evidence, earlier, has_champion=champion is not None),
        redteam=attack_grids(facts.redteam, champion.redteam if champion is not None else ()),
        fairness=fairness_of(facts.fairness),
        operation=operation_rows(evidence, earlier),
        changes=_changes(facts),
        custody=custody(candidate, report, facts),
        decision=decision_of(candidate.unit, report.verdict, facts),
        bars=bars,
        losses=_thinned(facts.losses),
        ingredients=ingredients_of(candidate, report),
        rows=dict(candidate.dataset.rows),
        training=_training(candidate),
    )


def _bars(candidate: Candidate, measured: dict[str, Evidence]) -> tuple[Bar, ...]:
    names = {
        "accuracy": "this release",
        "champion_accuracy": "serving now",
        "base_accuracy": f"base, {candidate.base.name}",
    }
    return tuple(
        Bar(
            name=name,
            value=item.value,
            lower=item.lower,
            upper=item.upper,
            n=item.n,
            slices={name: part.value for name, part in item.slices.items()},
        )
        for metric, name in names.items()
        if (item := measured.get(metric)) is not None
    )


def _summary(bars: tuple[Bar, ...]) -> str:
    if not bars or bars[0].name != "this release":
        return "No accuracy was measured."
    first, *others = bars
    interval = f"{100 * first.lower:.1f} to {100 * first.upper:.1f}"
    text = f"{100 * first.value:.1f} % right on {first.n} held-out rows (interval {interval} %)"
    return "; ".join([text, *(f"{bar.name}: {100 * bar.value:.1f} %" for bar in others)]) + "."


def _tiles(gates: tuple[GateRow, ...], measured: dict[str, Evidence]) -> tuple[Tile, ...]:
    passed = sum(row.verdict == Verdict.PASS for row in gates)
    attacks = ("attacks that succeed", "attack_success")
    if "attack_success" not in measured and "injection_attack_success" in measured:
        attacks = ("injected instructions obeyed", "injection_attack_success")
    wanted = (
        ("right answers", "accuracy"),
        attacks,
        ("answers changed by a group", "counterfactual_flips"),
        ("latency, 95th percentile", "latency_p95_ms"),
        ("cost of 1,000 requests", "cost_usd_per_1k_requests"),
    )
    first = Tile(name="gates that pass", figure=f"{passed} of {len(gates)}", remark=_against(gates))
    return (first, *(_tile(name, measured.get(metric)) for name, metric in wanted))


def _against(gates: tuple[GateRow, ...]) -> str:
    counts = {
        "fail": sum(row.verdict == Verdict.FAIL for row in gates),
        "inconclusive": sum(row.verdict == Verdict.INCONCLUSIVE and row.waiver is None for row in gates),
        "waived": sum(row.waiver is not None for row in gates),
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none against"


def _tile(name: str, item: Evidence | None) -> Tile:
    if item is None:
        return Tile(name=name, figure="–", remark="not measured")
    interval = f"{quantity.number(item.metric, item.lower)} to {quantity.number(item.metric, item.upper)}"
    return Tile(
        name=name, figure=quantity.show(item.metric, item.value), remark=f"{interval}, n = {item.n:,}"
    )


def _changes(facts: CardFacts) -> Changes:
    if facts.champion is None or facts.made_from is None:
        return Changes()
    return changes_since(facts.champion.release, facts.champion.made_from, facts.made_from)


def _training(candidate: Candidate) -> str:
    adapter = candidate.adapter
    resumed = f", resumed at step {adapter.resumed_from_step}" if adapter.resumed_from_step else ""
    return (
        f"{adapter.steps} steps over {adapter.rows_seen} rows in {adapter.seconds:.0f} s,"
        f" final loss {adapter.final_loss:.4f}{resumed}"
    )


def _thinned(losses: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    stride = -(-len(losses) // _MOST_LOSS_POINTS) or 1
    return losses[::stride]
