"""The page states every kind and family with its interval, and escapes what it is given."""

from tasks.finetune.robustness.page import robustness_page
from tasks.records.robustness import AttackOutcome, Bounds, PerturbationOutcome, RobustnessReport


def bounds(value):
    return Bounds(value=value, lower=max(value - 0.1, -1), upper=min(value + 0.1, 1))


REPORT = RobustnessReport(
    rows=40,
    seed=3,
    confidence=0.95,
    clean_accuracy=bounds(0.85),
    perturbations=(
        PerturbationOutcome(kind="typos", accuracy=bounds(0.75), drop=bounds(0.1), consistency=bounds(0.8)),
    ),
    attacks=(
        AttackOutcome(family="<b>", n=40, right=30, obeyed=4, obeyed_when_clean=1, success=bounds(0.1)),
    ),
    injected_accuracy=bounds(0.8),
    injection_success=bounds(0.1),
    scored=120,
    seconds=2.0,
)


def test_the_page_shows_every_number_with_its_interval():
    page = robustness_page(REPORT)
    assert page.count("<circle") == 4
    assert page.count('class="whisker"') == 4
    for words in ("typos: 75.0% (65.0% to 85.0%)", "75.0%  -10.0%", "80.0%  -5.0%", "4 of 40", "seed 3"):
        assert words in page


def test_names_are_escaped():
    page = robustness_page(REPORT)
    assert "<b>" not in page
    assert "&lt;b&gt;: 10.0%" in page


def test_the_worst_are_found():
    assert REPORT.worst_attack.family == "<b>"
    assert REPORT.worst_perturbation.kind == "typos"
