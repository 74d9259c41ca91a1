"""What a card may take: size and time in the worst case that is realistic, the same bytes each time."""

import time

import pytest

from infra.errors import DataError
from tasks.deploy.card import Card, CardFacts, card_json, card_page, make_card
from tasks.deploy.card.content import read_card
from tasks.records import Candidate, Evidence, EvidenceSet, GateReport
from tasks.records.redteam import AttackCell, RedTeamReport, Transcript
from tests.unit.tasks.deploy.card import samples

MOST_BYTES, MOST_CPU_S = 300_000, 3.0


def worst_evidence(unit: str) -> EvidenceSet:
    """A hundred labels in every sliced metric."""
    slices = {f"label-{at:03}-with-a-long-name": samples._slice(0.8, 40) for at in range(100)}
    items: list[Evidence] = [
        item.model_copy(update={"slices": slices}) if item.slices else item
        for item in samples.evidence_of(unit, good=True).evidence
    ]
    return EvidenceSet(candidate=unit, evidence=tuple(items), seconds=1)


def worst_report(unit: str, evidence: EvidenceSet) -> GateReport:
    """Sixty gates, with long words."""
    report = samples.report_of(unit, evidence, waived=True)
    results = [
        result.model_copy(update={"gate": f"{result.gate}-{at}", "message": result.message + " x" * 300})
        for at in range(5)
        for result in report.results
    ]
    return report.model_copy(update={"results": tuple(results[:60])})


def worst_redteam(techniques: int = 30) -> RedTeamReport:
    """Twelve risks, many techniques, forty transcripts of ten thousand characters."""
    cells = [
        AttackCell.model_validate(
            {"risk": f"risk_with_a_long_name_{risk}", "technique": f"technique_with_a_name_{technique}",
             "n": 40, "against": against, "hits": 3, "lower": 0.01, "upper": 0.2}
        )
        for risk in range(12) for technique in range(techniques) for against in ("unit", "model")
    ]  # fmt: skip
    long = "<ignore> & \u202e" * 900
    worst = Transcript(
        risk="r", technique="t", family="f", against="unit", detector="d", attack=long, reply=long
    )
    return RedTeamReport(tier="native", seed=1, cells=tuple(cells), worst=(worst,) * 40, seconds=1)


def worst_facts(candidate: Candidate) -> CardFacts:
    facts = samples.facts_of(candidate, good=True)
    champion = samples.champion_of(candidate)
    versions = {f"package-{at}": "1.0.0" for at in range(400)}
    lines = "\n".join(
        f"A line of the prompt, number {at}, that is as long as lines are." for at in range(600)
    )
    older = champion.made_from.model_copy(
        update={"versions": versions, "prompt_definition": {"system": lines, "user": "{{text}}"}}
    )
    return facts.model_copy(
        update={
            "redteam": (worst_redteam(), worst_redteam(12).model_copy(update={"tier": "garak"})),
            "champion": champion.model_copy(update={"made_from": older, "redteam": (worst_redteam(),)}),
            "losses": tuple((step, 1.0 / step) for step in range(1, 20_001)),
            "history": facts.history * 100,
        }
    )


def worst_card() -> Card:
    candidate = samples.candidate_of()
    data = candidate.dataset.model_copy(update={"notice": "Text of a licence. " * 400})
    candidate = candidate.model_copy(update={"dataset": data})
    evidence = worst_evidence(candidate.unit)
    report = worst_report(candidate.unit, evidence)
    return make_card(candidate, report, evidence, worst_facts(candidate), sequence=1, created=samples.CREATED)


def test_the_worst_case_stays_small_and_quick() -> None:
    started = time.process_time()
    page = card_page(worst_card())
    assert time.process_time() - started < MOST_CPU_S
    assert len(page.encode()) < MOST_BYTES


def test_the_worst_case_says_what_it_leaves_out() -> None:
    card = worst_card()
    assert card.changes.hidden_lines > 0
    assert card.changes.hidden_packages > 0
    assert card.decision.hidden_events > 0
    assert "more lines" in card_page(card)
    assert "more characters" in card.redteam[0].worst[0].attack


def test_the_same_input_gives_the_same_bytes() -> None:
    for make in (samples.passing_card, samples.blocked_card):
        assert card_page(make()) == card_page(make())
        assert card_json(make()) == card_json(make())


def test_page_and_json_are_twins() -> None:
    for make in (samples.passing_card, samples.blocked_card):
        card = make()
        assert read_card(card_json(card)) == card
        assert card_page(read_card(card_json(card))) == card_page(card)


@pytest.mark.parametrize("data", [b"", b"{}", b'{"format": "assay.card/v1"}', b"\xff"])
def test_another_format_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(DataError, match=r"card\.json: got another format"):
        read_card(data)
