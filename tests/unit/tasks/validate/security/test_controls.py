"""A control without a proof that holds today is not covered, whatever the reason."""

from pathlib import Path
from typing import Any

import pytest

from infra.config import Project
from tasks.validate.security.controls import Surroundings, control_findings
from tests.unit.tasks.finetune.provenance.samples import make_project

GATES = {"accuracy-floor": "accuracy"}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    for name in ("tasks/guarded.py", "tests/unit/test_guarded.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("def test_it():\n    assert True\n")
    return tmp_path


def problem(
    control: dict[str, Any], code: Path, *, project: Project | None = None, tests: bool = True
) -> str:
    around = Surroundings(project or make_project(), GATES, code, tests)
    (finding,) = control_findings({"controls": [{"key": "it", "title": "It", **control}]}, ["it"], around)
    return finding.problem


HOLDS: dict[str, dict[str, Any]] = {
    "gate": {"gate": "accuracy-floor", "metric": "accuracy"},
    "setting": {"setting": "data.min_rows", "in_force": {"at_least": 50}},
    "code": {"always": "tasks/guarded.py::test_it"},
    "test": {"test": "tests/unit/test_guarded.py::test_it"},
}

FAILS: dict[str, tuple[dict[str, Any], str]] = {
    "absent gate": ({"gate": "gone", "metric": "accuracy"}, "the gate policy lacks gone"),
    "other metric": ({"gate": "accuracy-floor", "metric": "contamination"}, "judges accuracy, expected"),
    "setting not in force": (
        {"setting": "data.min_rows", "in_force": {"at_least": 500}},
        "data.min_rows: got 100, expected at least 500",
    ),
    "absent setting": ({"setting": "data.gone", "in_force": {"at_least": 1}}, "no setting data.gone"),
    "no condition": ({"setting": "data.min_rows"}, "nothing says which values"),
    "two conditions": (
        {"setting": "data.min_rows", "in_force": {"at_least": 1, "at_most": 9}},
        "nothing says which values",
    ),
    "absent code": ({"always": "tasks/gone.py"}, "tasks/gone.py does not exist"),
    "absent name": ({"always": "tasks/guarded.py::gone"}, "defines no gone"),
    "absent test": ({"test": "tests/unit/test_guarded.py::test_gone"}, "defines no test_gone"),
    "no proof": ({}, "nothing proves it"),
}


@pytest.mark.parametrize("control", HOLDS.values(), ids=HOLDS)
def test_a_proof_that_holds(control: dict[str, Any], code: Path) -> None:
    assert problem(control, code) == ""


@pytest.mark.parametrize(("control", "expected"), FAILS.values(), ids=FAILS)
def test_a_proof_that_does_not_hold_is_named(control: dict[str, Any], expected: str, code: Path) -> None:
    assert expected in problem(control, code)
    # One good proof beside it does not help.
    other = HOLDS["code"] if "gate" in control or "setting" in control else HOLDS["gate"]
    if control:
        assert expected in problem({**other, **control}, code)


def test_a_setting_that_was_turned_down_since(code: Path) -> None:
    weak = make_project(data={"source": "attack-stix", "licence": "MIT", "min_rows": 1})
    assert "got 1, expected at least 50" in problem(HOLDS["setting"], code, project=weak)


@pytest.mark.parametrize(
    "document", [{}, {"controls": None}, {"controls": ["it"]}, {"controls": [{"key": "x"}]}]
)
def test_a_control_that_the_threat_model_lacks(document: dict[str, Any], code: Path) -> None:
    around = Surroundings(make_project(), GATES, code, True)
    (finding,) = control_findings(document, ["it"], around)
    assert "does not hold it" in finding.problem


def test_without_a_checkout_a_test_alone_proves_nothing(code: Path) -> None:
    assert "nothing proves it" in problem(HOLDS["test"], code, tests=False)
    assert problem(HOLDS["test"] | HOLDS["gate"], code, tests=False) == ""
