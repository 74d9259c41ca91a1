"""A card writes every metric as validation does: same unit, same sign."""

import pytest

from tasks.deploy.card import quantity
from tasks.validate.metrics import METRICS


@pytest.mark.parametrize("name", sorted(METRICS))
def test_units_are_those_of_validation(name: str) -> None:
    metric = METRICS[name]
    assert quantity.unit(name) == metric.unit
    assert quantity.is_signed(name) == metric.signed
    assert quantity.number(name, 0.0123).strip("+") == metric.show(0.0123).strip("+")
    assert quantity.show_limit(name, 0.05) == metric.show_limit(0.05)


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        ("accuracy", True), ("served_accuracy", True), ("injected_accuracy", True), ("throughput_rps", True),
        ("answer_consistency", True), ("screening_flip_recall", True), ("accuracy_gain_over_base", True),
        ("attack_success", False), ("over_refusal", False), ("latency_p95_ms", False),
        ("group_accuracy_gap", False), ("perturbed_accuracy_drop", False), ("general_ability_drop", False),
        ("counterfactual_flips", False), ("contamination", False), ("label_noise", False),
    ],
)  # fmt: skip
def test_better_has_a_direction(name: str, higher: bool) -> None:
    assert quantity.higher_is_better(name) is higher
