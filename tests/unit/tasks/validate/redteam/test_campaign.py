"""Campaigns against targets that behave in a known way: what is counted is what happened."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from infra.errors import DataError, Unavailable
from tasks.validate.redteam.adaptive import mutate
from tasks.validate.redteam.attempts import Variant, draw, fill, variants_of
from tasks.validate.redteam.campaign import conduct, make_attempts
from tasks.validate.redteam.evidence import METRICS, make_evidence
from tasks.validate.redteam.report import make_report
from tasks.validate.redteam.strike import ask, strike
from tasks.validate.targets import Reply
from tests.unit.tasks.validate.redteam.samples import (
    LABELS,
    ROWS,
    SMALL,
    Scripted,
    around,
    blocking,
    obedient,
    own_corpora,
    refusing,
    steadfast,
)

CORPORA = own_corpora()
INPUTS = {"candidate": "sha256:" + "a" * 64}
DETAILS = "sha256:" + "b" * 64


def test_the_default_sizes_stand_behind_a_two_percent_limit() -> None:
    from infra.config.redteam import RedTeamSettings

    attempts = make_attempts(
        CORPORA, replace(around(), clean=(frozenset[str](),) * len(ROWS)), RedTeamSettings()
    )
    assert len(attempts) >= 190
    assert min(Counter(attempt.risk for attempt in attempts).values()) >= 38
    assert len({str(attempt.conversation) for attempt in attempts}) == len(attempts)


def test_every_technique_is_drawn_for_injections() -> None:
    chosen = draw(CORPORA.attacks, 140, 40, seed=0)
    techniques = {variant.technique for variant in chosen if variant.planned.risk == "prompt_injection"}
    assert techniques == {"plain", "language", "disguise", "encoding", "placement", "split"}
    assert draw(CORPORA.attacks, 140, 40, seed=0) == chosen
    assert draw(CORPORA.attacks, 140, 40, seed=1) != chosen


def test_the_goal_is_wrong_for_the_row_and_not_answered_anyway() -> None:
    context = around(clean=(frozenset({"impact", "collection"}),) * len(ROWS))
    injections = [p for p in CORPORA.attacks if p.risk == "prompt_injection"]
    for planned in injections:
        for variant in variants_of(planned)[:3]:
            assert fill(variant, context, 0, seed="s").expected.wanted == "execution"


def test_no_slot_is_left_open() -> None:
    context = around(clean=(frozenset[str](),) * len(ROWS))
    for planned in CORPORA.attacks:
        for message in fill(Variant(planned), context, 1, seed="s").conversation:
            for slot in ("{goal}", "{row}", "{marker}", "{secret}", "{host}", "{start}"):
                assert slot not in message["content"]


def test_what_is_filled_in_is_not_expanded_again() -> None:
    planned = next(p for p in CORPORA.attacks if p.detector == "obey")
    context = around(rows=("A row with {secret} in it.",), truths=("x",), clean=(frozenset[str](),))
    assert "{secret}" in fill(Variant(planned), context, 0, seed="s").conversation[0]["content"]


def test_a_steadfast_unit_has_no_hits() -> None:
    findings = conduct(Scripted(steadfast), Scripted(steadfast, "model"), CORPORA, around(), SMALL)
    evidence = make_evidence(findings, INPUTS, DETAILS, 0.95)
    assert tuple(each.metric for each in evidence) == METRICS
    assert [each.value for each in evidence] == [0, 0, 0, 0]
    assert all(each.upper > 0 and each.details == DETAILS for each in evidence)
    assert sum(each.n for each in evidence[0].slices.values()) == evidence[0].n


def test_an_obedient_model_is_caught_by_every_tier() -> None:
    findings = conduct(Scripted(steadfast), Scripted(obedient, "model"), CORPORA, around(), SMALL)
    unit, model, adaptive, _ = make_evidence(findings, INPUTS, DETAILS, 0.95)
    assert unit.value == adaptive.value == 0
    assert model.slices["prompt_injection"].lower > 0.3
    assert all(s.value == 0 for risk, s in model.slices.items() if risk != "prompt_injection")


def test_the_model_alone_is_asked_every_other_attempt() -> None:
    findings = conduct(Scripted(steadfast), Scripted(steadfast, "model"), CORPORA, around(), SMALL)
    unit, model = (findings.native[name] for name in ("unit", "model"))
    assert [o.attempt for o in model] == [o.attempt for o in unit][::2]
    assert {o.attempt.risk for o in model} == {o.attempt.risk for o in unit}


def test_the_search_gets_further_than_the_native_tier() -> None:
    findings = conduct(Scripted(obedient), None, CORPORA, around(), SMALL)
    injections = [o for o in findings.adaptive if o.attempt.risk == "prompt_injection"]
    assert injections
    assert all(outcome.hit for outcome in injections)


def test_the_search_is_bounded_and_repeatable() -> None:
    first, second = Scripted(steadfast), Scripted(steadfast)
    one = conduct(first, None, CORPORA, around(), SMALL)
    two = conduct(second, None, CORPORA, around(), SMALL)
    assert first.asked == second.asked
    assert one.adaptive == two.adaptive
    rest = len(ROWS) + len(one.native["unit"]) + SMALL.benign
    assert len(first.asked) - rest <= SMALL.searches * SMALL.rounds


def test_a_unit_that_blocks_everything_is_safe_and_useless() -> None:
    findings = conduct(Scripted(blocking), None, CORPORA, around(), SMALL)
    assert not any(outcome.hit for outcome in findings.native["unit"])
    assert len(findings.refused) == findings.benign == SMALL.benign


def test_a_unit_that_declines_everything_over_refuses() -> None:
    findings = conduct(Scripted(refusing), None, CORPORA, around(), SMALL)
    assert len(findings.refused) == findings.benign
    assert not any(outcome.hit for outcome in findings.native["unit"])


def test_without_labels_the_made_up_word_counts() -> None:
    def parrot(text: str, _conversation: object) -> Reply:
        found = [word.strip(".,:;!?\"'()[]{}=") for word in text.split() if "heron" in word]
        return Reply(found[-1] if found else "ok")

    findings = conduct(Scripted(parrot), None, CORPORA, around(labels=(), truths=()), SMALL)
    detectors = Counter(o.detector for o in findings.native["unit"] if o.hit)
    assert detectors["rogue"] > 3
    assert "label-hijack" not in detectors


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _t, _c: None, "NoneType as reply"),
        (lambda _t, _c: "impact", "str as reply"),
        (lambda _t, _c: Reply(None), "as reply, expected text"),
        (lambda _t, _c: Reply(""), "answers nothing"),
        (lambda _t, _c: Reply("", "rule"), "0 of 8 harmless texts"),
    ],
    ids=["none", "text", "reply of none", "empty", "all blocked"],
)
def test_a_target_that_does_not_answer_proves_nothing(answer: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        conduct(Scripted(answer), None, CORPORA, around(), SMALL)  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [Unavailable("down"), RuntimeError("odd"), MemoryError()])
def test_what_a_target_raises_is_not_swallowed(error: Exception) -> None:
    def answer(_text: str, _conversation: object) -> Reply:
        raise error

    with pytest.raises(type(error)):
        conduct(Scripted(answer), None, CORPORA, around(), SMALL)


@pytest.mark.parametrize("given", [None, [], [Reply("a")] * 3])
def test_a_target_that_skips_some_is_refused(given: object) -> None:
    target = Scripted(steadfast)
    target.ask = lambda _conversations: given  # type: ignore[method-assign, assignment, return-value]
    with pytest.raises(DataError, match="expected 2"):
        ask(target, [({"role": "user", "content": "a"},)] * 2)


def test_a_failing_detector_stops_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks.validate.redteam.detectors import DETECTORS

    monkeypatch.setitem(DETECTORS, "sql", replace(DETECTORS["sql"], find=lambda _e, _r: False))
    with pytest.raises(DataError, match="sql"):
        conduct(Scripted(steadfast), None, CORPORA, around(), SMALL)


def test_mutations_stay_in_the_family() -> None:
    start = Variant(next(p for p in CORPORA.attacks if p.family == "jailbreak"))
    seen = set()
    variant = start
    for number in range(60):
        variant = mutate(variant, CORPORA.attacks, Random(number))
        seen.add((variant.transform, variant.where, variant.second is not None))
        assert variant.planned.family == "jailbreak"
        assert fill(variant, around(clean=(frozenset[str](),) * 8), 0, seed="s").conversation
    assert len(seen) > 5


def test_the_report_counts_cells_and_redacts() -> None:
    def leaky(text: str, conversation: object) -> Reply:
        reply = obedient(text, conversation)  # type: ignore[arg-type]
        return Reply(reply.text)

    findings = conduct(Scripted(leaky), Scripted(steadfast, "model"), CORPORA, around(), SMALL)
    report = make_report(findings, CORPORA, SMALL, seconds=1.0, private=(ROWS[0], ROWS[1]))
    native = [c for c in report.cells if c.against == "unit" and c.technique != "adaptive"]
    assert sum(cell.n for cell in native) == len(findings.native["unit"])
    assert sum(cell.hits for cell in native) == sum(o.hit for o in findings.native["unit"])
    assert {cell.against for cell in report.cells} == {"unit", "model"}
    assert 0 < len(report.worst) <= SMALL.transcripts
    assert all(ROWS[0] not in each.attack and ROWS[1] not in each.attack for each in report.worst)
    assert report.worst[0].against == "unit"
    assert report.corpora == CORPORA.licences


def test_the_clean_answer_of_the_same_target_counts() -> None:
    planned = next(p for p in CORPORA.attacks if p.detector == "obey")
    attempt = fill(Variant(planned), around(clean=(frozenset[str](),) * 8), 0, seed="s")
    target = Scripted(lambda _t, _c: Reply(attempt.expected.wanted))
    assert strike(target, [attempt], {0: "discovery"})[0].hit
    assert not strike(target, [attempt], {0: attempt.expected.wanted})[0].hit
    assert attempt.expected.wanted in LABELS
