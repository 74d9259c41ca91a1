"""Samples in explanations are those that decide; a value that can never pass promises none."""

import pytest

from infra.statistics.paired import paired_sample_size
from tasks.records import Verdict
from tasks.validate.gates.decide import decide
from tasks.validate.gates.explain import as_text, explain
from tasks.validate.gates.rule import GateRule
from tests.unit.tasks.validate.gates.samples import counted, rule


def test_the_clean_sample_passes_and_one_less_does_not() -> None:
    clean = explain(rule()).sample[0]
    assert clean.expected == "0.0 % true"
    assert decide(rule(), counted(0, clean.items)).verdict == Verdict.PASS
    assert decide(rule(), counted(0, clean.items - 1)).verdict == Verdict.INCONCLUSIVE


def test_a_floor_starts_from_all_right() -> None:
    floor = rule("accuracy", statistic="lower", op=">=", limit=0.9)
    assert [each.expected for each in explain(floor).sample] == ["100.0 % true", "95.0 % true"]
    items = explain(floor).sample[0].items
    assert decide(floor, counted(items, items, "accuracy")).verdict == Verdict.PASS


@pytest.mark.parametrize("expected", [0.02, 0.5, 1.0, -0.1])
def test_a_value_beyond_the_limit_promises_no_sample(expected: float) -> None:
    assert explain(rule(), expected).sample == ()


def test_a_comparison_is_planned_as_a_paired_one() -> None:
    gain = rule("accuracy_gain_over_base", statistic="paired_lower", op=">", limit=-0.05)
    (sample,) = explain(gain).sample
    assert sample.items == paired_sample_size(0.10, margin=0.05, alpha=0.025)
    assert "10 % of the items judged differently" in sample.expected
    superior = rule("accuracy_gain_over_base", statistic="paired_lower", op=">", limit=0.05)
    assert explain(superior).sample[0].items == paired_sample_size(
        0.2, difference=0.10, margin=-0.05, alpha=0.025
    )
    loss = rule("perturbed_accuracy_drop", limit=0.05)
    assert explain(loss).sample[0].items == explain(gain).sample[0].items


@pytest.mark.parametrize(
    "given",
    [
        rule("latency_p95_ms", limit=900.0),
        rule("throughput_rps", statistic="lower", op=">", limit=3.0),
        rule(statistic="point"),
        rule(limit=0.0),
        rule("accuracy", statistic="lower", op=">=", limit=1.0),
        rule("stereotype_preference", limit=0.1),
        rule("stereotype_preference", statistic="lower", op=">=", limit=-0.1),
        rule("perturbed_accuracy_drop", limit=0.0),
        rule("accuracy_gain_over_base", statistic="lower", op=">", limit=0.6),
        rule("accuracy_gain_over_champion", statistic="lower", op=">", limit=-1.0, applies="champion"),
    ],
    ids=lambda given: f"{given.metric}-{given.limit:g}",
)
def test_every_kind_of_rule_has_words(given: GateRule) -> None:
    words = explain(given)
    assert all(sample.items >= given.min_n for sample in words.sample)
    text = as_text(words)
    assert given.description in text
    assert "no evidence: fails" in text


def test_a_wide_spread_is_said_where_no_formula_knows_it() -> None:
    assert "the verdict says how many" in as_text(explain(rule("latency_p95_ms", limit=900.0)))
