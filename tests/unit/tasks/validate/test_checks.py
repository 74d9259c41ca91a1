"""The registry: what is listed exists, promises known metrics, and no two promise the same."""

from collections import Counter

import pytest

from infra.code import code_digest
from infra.errors import ConfigError
from tasks.validate.checks import CHECKS, load_check
from tasks.validate.metrics import METRICS


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
