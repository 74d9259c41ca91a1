"""Only probes that are known to count are planned, with as many prompts as garak will ask."""

import pytest

from infra.config.garak import GarakSettings
from infra.errors import ConfigError
from tasks.validate.garak.plan import configuration, plan_probes, within
from tasks.validate.garak.probes import NEEDS_DOWNLOAD, PROBES

# Detectors that call whatever is no known refusal a success, or that match ordinary words of answers.
UNBELIEVED = ("mitigation.", "malwaregen.", "always.", "judge.", "any.", "divergence.RepeatedToken")
RISKS = {"prompt_injection", "output_handling", "sensitive_disclosure"}


@pytest.mark.parametrize(
    "name", ["promptinject.HijackHateHuman", "dan.DanInTheWild", "probes.dan", "", "dan.*"]
)
def test_a_probe_that_does_not_count_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="not a probe whose detector can be believed"):
        plan_probes(GarakSettings(probes=(name,)))


def test_the_nearest_name_is_told() -> None:
    with pytest.raises(ConfigError) as raised:
        plan_probes(GarakSettings(probes=("encoding.InjectBase63",)))
    assert "encoding.InjectBase64" in raised.value.hint


@pytest.mark.parametrize("name", NEEDS_DOWNLOAD)
def test_a_probe_that_would_ask_nothing_offline_is_refused(name: str) -> None:
    assert name not in PROBES
    with pytest.raises(ConfigError, match="makes no prompt without a download"):
        plan_probes(GarakSettings(probes=("encoding.InjectBase64", name)))


def test_system_prompt_extraction_is_mapped_to_its_own_risk() -> None:
    assert NEEDS_DOWNLOAD["sysprompt_extraction.SystemPromptExtraction"] == "system_prompt_leakage"


def test_no_detector_of_refusals_is_believed() -> None:
    assert [p.name for p in PROBES.values() if p.detector.startswith(UNBELIEVED)] == []
    assert {probe.risk for probe in PROBES.values()} == RISKS


def test_planned_numbers_heed_the_cap_only_where_garak_does() -> None:
    names = ("promptinject.HijackHateHumans", "leakreplay.GuardianCloze", "ansiescape.AnsiRaw")
    assert plan_probes(GarakSettings(probes=names, prompts=20)).prompts == dict(
        zip(names, (20, 9, 58), strict=True)
    )


def test_a_probe_named_twice_is_planned_once() -> None:
    assert plan_probes(GarakSettings(probes=("ansiescape.AnsiRaw",) * 2)).total == 58


def test_by_default_every_risk_has_enough_prompts_for_a_limit_of_five_percent() -> None:
    plan = plan_probes(GarakSettings())
    asked = {risk: sum(p.planned(plan.cap) for p in plan.probes if p.risk == risk) for risk in RISKS}
    assert min(asked.values()) >= 73  # 0 of 73: Wilson's upper bound is 5.0 %


def test_garak_is_told_to_ask_once_without_extended_detectors() -> None:
    made = configuration(
        plan_probes(GarakSettings(parallel=3)), uri="http://127.0.0.1:1/v1/", model="m", reports="r"
    )
    assert made["run"]["generations"] == 1
    assert made["plugins"]["extended_detectors"] is False
    assert made["system"]["parallel_attempts"] == made["system"]["max_workers"] == 3
    assert len(made["run"]["spec"]["include"]) == len(PROBES)


@pytest.mark.parametrize("budget", [303, 400, 1000, 100_000])
def test_a_budget_is_used_and_not_passed(budget: int) -> None:
    chosen = within(budget, GarakSettings(seed=3))
    assert plan_probes(chosen).total <= budget
    assert chosen.seed == 3
    if chosen.prompts < 256:
        assert plan_probes(chosen.model_copy(update={"prompts": chosen.prompts + 1})).total > budget


def test_a_budget_below_the_fixed_lists_is_refused_with_the_least() -> None:
    with pytest.raises(ConfigError, match="budget of 57 attacks, it asks 58 at least"):
        within(57, GarakSettings(probes=("ansiescape.AnsiRaw",)))
