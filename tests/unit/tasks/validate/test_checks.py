"""The registry: what is listed exists, promises known metrics, and no two promise the same."""

from collections import Counter

import pytest

from infra.code import code_digest
from infra.config import load_project
from infra.errors import ConfigError
from tasks.validate.checks import CHECKS, ON_DEMAND, checks_of, load_check
from tasks.validate.gates import load_gates
from tasks.validate.metrics import METRICS
from tests.conftest import Configure


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_listed_can_be_run(name: str) -> None:
    check = load_check(name, CHECKS[name])
    assert check.metrics
    assert {*check.metrics, *check.optional} <= set(METRICS)
    assert 0 < check.deadline_s <= 600
    assert code_digest(*check.code).startswith("sha256:")
    assert set(check.after) <= set(CHECKS)


def test_no_metric_is_promised_twice() -> None:
    checks = [load_check(name, module) for name, module in CHECKS.items()]
    counts = Counter(metric for check in checks for metric in {*check.metrics, *check.optional})
    assert [metric for metric, count in counts.items() if count > 1] == []


def test_a_check_starts_after_those_it_waits_for() -> None:
    names = list(CHECKS)
    for name in names:
        assert all(names.index(other) < names.index(name) for other in load_check(name, CHECKS[name]).after)


def test_another_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="got check 'security', expected the check 'other'"):
        load_check("other", CHECKS["security"])


def test_what_depends_on_the_day_is_never_taken_from_an_earlier_run() -> None:
    assert not load_check("security", CHECKS["security"]).kept


@pytest.mark.parametrize("name", ON_DEMAND)
def test_what_is_on_demand_runs_only_where_its_setting_asks_for_it(name: str, configure: Configure) -> None:
    module, setting = ON_DEMAND[name]
    section, field = setting.split(".")
    assert name not in checks_of(load_project("default"))
    configure(**{section: {field: True}})
    assert checks_of(load_project("default")) == {**CHECKS, name: module}


@pytest.mark.parametrize("name", ON_DEMAND)
def test_what_is_on_demand_has_a_gate_under_the_same_setting(name: str) -> None:
    module, setting = ON_DEMAND[name]
    metrics = load_check(name, module).metrics
    project = load_project("default")
    gates = [rule for rule in load_gates(project.path(project.gates)).gates if rule.metric in metrics]
    assert [rule.only_with for rule in gates] == [setting]


def test_production_asks_for_garak() -> None:
    assert "garak" in checks_of(load_project("default", profile="production"))
