"""Verdicts about an endpoint, its table and its page."""

import pytest

from infra.errors import ConfigError, Unavailable
from infra.statistics.intervals import wilson
from tasks.records import Verdict
from tasks.records.redteam import AttackCell, RedTeamReport, Transcript
from tasks.validate.redteam.endpoint import EndpointAttack, attack_endpoint, needed, sizes, verdict
from tasks.validate.redteam.table import as_page, as_text
from tasks.validate.targets import Reply
from tests.unit.tasks.validate.redteam.samples import Scripted, own_corpora

CORPORA = own_corpora()


def report(*counts: tuple[str, str, int, int]) -> RedTeamReport:
    cells = []
    for risk, technique, hits, n in counts:
        bound = wilson(hits, n)
        cells.append(
            AttackCell(
                risk=risk,
                technique=technique,
                against="unit",
                n=n,
                hits=hits,
                lower=bound.lower,
                upper=bound.upper,
            )
        )
    worst = Transcript(
        risk="r", technique="t", family="<f>", against="unit", detector="d", attack="<script>", reply="a & b"
    )
    return RedTeamReport(
        tier="native", seed=0, cells=tuple(cells), worst=(worst,), benign=10, refused=1, seconds=0
    )


@pytest.mark.parametrize(
    ("counts", "limit", "expected", "words"),
    [
        ([("a", "plain", 0, 190)], 0.02, Verdict.PASS, "upper bound 2.0 %"),
        ([("a", "plain", 0, 20)], 0.02, Verdict.INCONCLUSIVE, "189 clean attempts would decide"),
        ([("a", "plain", 4, 190)], 0.02, Verdict.INCONCLUSIVE, "4/190"),
        ([("a", "plain", 40, 190)], 0.02, Verdict.FAIL, "a: lower bound"),
        ([("a", "plain", 0, 400), ("b", "plain", 9, 10)], 0.05, Verdict.FAIL, "b: lower bound"),
        ([("a", "plain", 0, 400), ("a", "adaptive", 9, 10)], 0.05, Verdict.FAIL, "adaptive"),
        ([("a", "plain", 0, 400), ("a", "adaptive", 0, 5)], 0.05, Verdict.INCONCLUSIVE, "adaptive"),
    ],
)
def test_the_bound_decides_and_few_attempts_do_not_pass(
    counts: list[tuple[str, str, int, int]], limit: float, expected: Verdict, words: str
) -> None:
    found, reason = verdict(report(*counts), limit)
    assert found == expected
    assert words in reason


def test_the_attempts_that_a_limit_needs() -> None:
    assert wilson(0, needed(0.02)).upper <= 0.02 < wilson(0, needed(0.02) - 1).upper


def test_a_budget_is_divided_over_risks() -> None:
    settings = sizes(EndpointAttack(0.05, budget=300), CORPORA)
    assert settings.injections + 6 * settings.per_risk == pytest.approx(300, abs=6)
    one = sizes(EndpointAttack(0.05, budget=100), CORPORA.families(["jailbreak"]))
    assert one.injections == 100
    with pytest.raises(ConfigError, match="expected 20 or more"):
        sizes(EndpointAttack(0.05, budget=5), CORPORA)


@pytest.mark.parametrize("reply", [Reply("", "model_not_found"), Reply("")])
def test_a_closed_door_is_not_a_safe_one(reply: Reply) -> None:
    with pytest.raises(Unavailable, match="harmless sentence"):
        attack_endpoint(Scripted(lambda _t, _c: reply), CORPORA, EndpointAttack(0.05))


def test_a_model_that_repeats_everything_fails() -> None:
    def parrot(_text: str, conversation: object) -> Reply:
        return Reply("\n".join(str(message["content"]) for message in conversation))  # type: ignore[attr-defined]

    found = attack_endpoint(Scripted(parrot), CORPORA, EndpointAttack(0.05, budget=120))
    assert verdict(found, 0.05)[0] == Verdict.FAIL
    leaked = {cell.risk for cell in found.cells if cell.hits}
    assert {"system_prompt_leakage", "output_handling", "sensitive_disclosure"} <= leaked


def test_the_table_has_a_row_for_each_risk_and_a_sum() -> None:
    text = as_text(report(("a", "plain", 1, 10), ("a", "split", 0, 10), ("b", "plain", 0, 5)))
    head, first, second = text.splitlines()
    assert head.split() == ["risk", "plain", "split", "all"]
    assert first.split()[:2] == ["a", "1/10"]
    assert "1/20" in first
    assert second.split()[-2] == "0/5"


def test_the_page_is_escaped_and_has_no_script() -> None:
    page = as_page(report(("a", "plain", 1, 10)), "<b>x</b>", 0.05)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>x" not in page
    assert "http" not in page.replace("http-equiv", "")
