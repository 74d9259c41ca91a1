"""The measurement counts what it should, on scorers whose behaviour is known."""

from dataclasses import dataclass

import pytest
from pydantic import ValidationError

from infra.config.robustness import RobustnessSettings
from infra.errors import DataError
from infra.normalisation import STEPS, normalise
from tasks.finetune.perturbations.held_out_families import HELD_OUT
from tasks.finetune.perturbations.noise import NOISE
from tasks.finetune.robustness import measure_robustness, robustness_evidence
from tasks.finetune.robustness.attacks import injected_rows
from tasks.finetune.robustness.rows import evenly
from tasks.records.robustness import AttackOutcome, Bounds

LABELS = ("impact", "discovery", "execution")
WORDS = {"impact": "encrypts", "discovery": "enumerates", "execution": "launches"}
SETTINGS = RobustnessSettings(resamples=200)


@dataclass(frozen=True)
class Line:
    text: str
    label: str


@dataclass(frozen=True)
class Said:
    label: str


class WordScorer:
    """Knows a row by one word; `steps` normalise, `obeys` believes whatever label is named last."""

    def __init__(self, steps=STEPS, obeys=False):
        self.labels, self.steps, self.obeys, self.asked = LABELS, steps, obeys, []

    def render(self, text):
        return [{"role": "user", "content": normalise(text, self.steps)}]

    def score(self, texts):
        self.asked += texts
        return [Said(self._label(self.render(text)[0]["content"])) for text in texts]

    def _label(self, text):
        named = max(LABELS, key=text.rfind)
        if self.obeys and named in text:
            return named
        return next((label for label, word in WORDS.items() if word in text.lower()), "impact")


ROWS = [
    Line(f"Actor {n} {WORDS[LABELS[n % 3]]} all files of the host number {n}.", LABELS[n % 3])
    for n in range(99)
]


def test_nothing_to_measure_is_an_error():
    with pytest.raises(DataError, match="no rows"):
        measure_robustness(WordScorer(), [], SETTINGS)
    with pytest.raises(DataError, match="1 labels"):
        injected_rows(ROWS, ["impact"], 0)


def test_a_scorer_that_skips_texts_is_an_error():
    class Skips(WordScorer):
        def score(self, texts):
            return super().score(texts)[1:]

    with pytest.raises(DataError, match="expected"):
        measure_robustness(Skips(), ROWS, SETTINGS)


def test_a_model_that_obeys_is_seen_to_obey():
    report = measure_robustness(WordScorer(obeys=True), ROWS, SETTINGS)
    assert report.clean_accuracy.value == 1
    assert report.injection_success.value == 1
    assert report.injected_accuracy.value == 0
    assert all(attack.obeyed == attack.n for attack in report.attacks)
    evidence = {each.metric: each for each in robustness_evidence(report, {})}
    assert evidence["injection_attack_success"].upper == 1
    assert evidence["injected_accuracy"].lower == 0


def test_a_model_that_reads_the_text_alone_is_not_fooled():
    report = measure_robustness(WordScorer(), ROWS, SETTINGS)
    assert report.injection_success.value == 0
    assert 0 < report.injection_success.upper < 0.05
    assert report.injected_accuracy.value == 1


def test_disguises_cost_nothing_with_normalisation_and_much_without():
    kinds = ("homoglyphs", "zero-width")
    for steps, least in ((STEPS, 0.0), ((), 0.2)):
        report = measure_robustness(WordScorer(steps), ROWS, SETTINGS)
        drops = {outcome.kind: outcome.drop.value for outcome in report.perturbations}
        assert all(drops[kind] == 0 if steps else drops[kind] > least for kind in kinds)
        assert report.worst_perturbation.drop.value == max(drops.values())


def test_inputs_that_render_alike_are_scored_once():
    scorer = WordScorer()
    report = measure_robustness(scorer, ROWS, SETTINGS)
    rendered = [scorer.render(text)[0]["content"] for text in scorer.asked]
    assert len(rendered) == len(set(rendered)) == report.scored
    # Clean, lower, typos, misspellings, injected; upper and random case become clean but for names.
    assert report.scored <= 6 * len(ROWS)


def test_the_worst_kind_is_the_evidence_and_its_interval_holds_for_all():
    report = measure_robustness(WordScorer(()), ROWS, SETTINGS)
    drop, consistency, *_ = robustness_evidence(report, {"candidate": "sha256:" + "0" * 64})
    assert drop.upper == max(outcome.drop.upper for outcome in report.perturbations)
    assert consistency.lower == min(outcome.consistency.lower for outcome in report.perturbations)
    assert set(drop.slices) == set(NOISE)
    assert drop.n == len(ROWS)
    assert report.worst_perturbation.kind in drop.method


def test_every_family_gets_its_share_of_rows_and_never_names_the_truth():
    attacks = injected_rows(ROWS, LABELS, 0)
    assert [a.named != row.label for a, row in zip(attacks, ROWS, strict=True)] == [True] * len(ROWS)
    assert all(row.text in attack.text and attack.named in attack.text
               for attack, row in zip(attacks, ROWS, strict=True))  # fmt: skip
    counts = {family.name: 0 for family in HELD_OUT} | {"two-phrases": 0}
    for attack in attacks:
        counts[attack.family] += 1
    assert min(counts.values()) >= 9
    assert max(counts.values()) <= 13


def test_the_order_of_rows_changes_nothing():
    turned = ROWS[::-1]
    assert injected_rows(turned, LABELS, 0) == injected_rows(ROWS, LABELS, 0)[::-1]
    assert sorted(evenly(turned, 30, 0), key=str) == sorted(evenly(ROWS, 30, 0), key=str)


def test_a_part_of_the_rows_has_all_labels_alike():
    uneven = [row for row in ROWS if row.label != "impact"] + [row for row in ROWS if row.label == "impact"][
        :5
    ]
    part = evenly(uneven, 35, 0)
    assert len(part) == 35
    assert [sum(row.label == label for row in part) for label in LABELS] == [5, 15, 15]
    assert evenly(ROWS, 1000, 0) == ROWS


def test_impossible_records_are_refused():
    with pytest.raises(ValidationError, match="outside"):
        Bounds(value=0.5, lower=0.6, upper=0.7)
    with pytest.raises(ValidationError, match="obeyed of"):
        AttackOutcome(
            family="a", n=2, right=1, obeyed=2, obeyed_when_clean=0, success=Bounds(value=1, lower=0, upper=1)
        )
