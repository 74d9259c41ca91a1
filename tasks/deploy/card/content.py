"""What a release card says, as a record: the content of card.json. Pure; the page is drawn from it."""

from typing import Literal

from pydantic import Field

from tasks.records import Candidate, Evidence, EvidenceSet, GateReport, GateResult, Record, Verdict

_MOST_LOSS_POINTS = 400


class CardFacts(Record):
    """What the card needs besides candidate, report and evidence."""

    title: str = ""
    approval: Literal["auto", "person"] = "person"
    approvers: tuple[str, ...] = ()
    profile: str = ""
    losses: tuple[tuple[int, float], ...] = Field((), description="(optimizer step, training loss)")


class Bar(Record):
    """One measured share with its interval, by label where it was sliced."""

    name: str
    value: float
    lower: float
    upper: float
    n: int
    slices: dict[str, float]


class GateRow(Record):
    """One gate as the table shows it; numbers are text with their unit."""

    gate: str
    metric: str
    got: str
    interval: str
    limit: str
    n: str
    verdict: Verdict
    message: str


class Ingredient(Record):
    """One part of the served unit, with what its licence asks us to say."""

    part: str
    name: str
    digest: str
    licence: str = ""
    source: str = ""
    notice: str = ""


class Card(Record):
    """Everything on the card. A release's id is not here: the card is part of what that id is taken of."""

    project: str
    title: str
    unit: str
    sequence: int
    created: str
    expires: str | None
    verdict: Verdict
    headline: str
    summary: str
    bars: tuple[Bar, ...]
    gates: tuple[GateRow, ...]
    losses: tuple[tuple[int, float], ...]
    ingredients: tuple[Ingredient, ...]
    rows: dict[str, int]
    approval: str
    training: str


def make_card(
    candidate: Candidate,
    report: GateReport,
    evidence: EvidenceSet,
    facts: CardFacts,
    *,
    sequence: int,
    created: str,
    expires: str | None = None,
) -> Card:
    """The card of a candidate under its gate report."""
    measured = {item.metric: item for item in evidence.evidence}
    bars = _bars(candidate, measured)
    return Card(
        project=candidate.project,
        title=facts.title or candidate.project,
        unit=candidate.unit,
        sequence=sequence,
        created=created,
        expires=expires,
        verdict=report.verdict,
        headline=report.headline,
        summary=_summary(bars),
        bars=bars,
        gates=tuple(_gate_row(result, measured.get(result.metric)) for result in report.results),
        losses=_thinned(facts.losses),
        ingredients=_ingredients(candidate, report),
        rows=dict(candidate.dataset.rows),
        approval=_approval(facts),
        training=_training(candidate),
    )


def show(metric: str, value: float) -> str:
    """A value with its unit: shares in percent, differences in percentage points, the rest as it is."""
    if "_gain_" in metric:
        return f"{100 * value:+.1f} pp"
    return f"{100 * value:.1f} %" if -1 <= value <= 1 else f"{value:.4g}"


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


def _gate_row(result: GateResult, item: Evidence | None) -> GateRow:
    metric = result.metric
    interval = "not measured"
    if item is not None:
        interval = f"{show(metric, item.lower)} to {show(metric, item.upper)}"
    return GateRow(
        gate=result.gate,
        metric=f"{metric} ({result.statistic})",
        got="none" if result.got is None else show(metric, result.got),
        interval=interval,
        limit="none" if result.limit is None else show(metric, result.limit),
        n="none" if result.n is None else str(result.n),
        verdict=result.verdict,
        message=result.message,
    )


def _ingredients(candidate: Candidate, report: GateReport) -> tuple[Ingredient, ...]:
    base, data, adapter, prompt = candidate.base, candidate.dataset, candidate.adapter, candidate.prompt
    return (
        Ingredient(
            part="base model", name=base.name, digest=base.digest, licence=base.licence, source=base.source
        ),
        Ingredient(
            part="data",
            name=data.name,
            digest=data.digest,
            licence=data.licence,
            source=data.source,
            notice=data.notice,
        ),
        Ingredient(part="adapter", name="LoRA adapter trained here", digest=adapter.digest),
        Ingredient(part="prompt", name=prompt.name, digest=prompt.digest),
        Ingredient(part="guard policy", name="guard/guard.yaml", digest=candidate.guard),
        Ingredient(part="access policy", name="access/access.yaml", digest=candidate.access),
        Ingredient(part="requirements", name="threat model", digest=candidate.requirements.digest),
        Ingredient(part="gates", name="gate policy", digest=report.policy),
        Ingredient(part="evidence", name="evidence.json", digest=report.evidence),
        Ingredient(part="configuration", name="resolved settings", digest=candidate.config),
        Ingredient(part="training code", name="source digest", digest=adapter.code),
    )


def _approval(facts: CardFacts) -> str:
    profile = f" (profile {facts.profile})" if facts.profile else ""
    if facts.approval == "auto":
        return f"auto: no person was asked{profile}. What passes all gates goes live."
    who = f"one of {', '.join(facts.approvers)}" if facts.approvers else "a named person"
    return f"person: goes live only after {who} approves it, with a reason{profile}."


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
