"""Gate files: a mistake is a ConfigError with file, line and nearest name, never a weaker gate."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.config.load import REPOSITORY
from infra.config.schema import main
from infra.errors import ConfigError
from tasks.validate.gates.policy import gates_schema, load_gates
from tasks.validate.gates_schema import GATES_SCHEMA_FILE

FILES = sorted((REPOSITORY / "configs").glob("**/gates.yaml"))
RULE = """gates:
  - name: floor
    description: why
    metric: accuracy
    statistic: lower
    op: ">="
    limit: 0.5
    min_n: 200
"""


def _load(tmp_path: Path, text: str) -> str:
    (tmp_path / "gates.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_gates(tmp_path / "gates.yaml")
    return caught.value.diagnostics()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("metric: accuracy", "metric: acuracy", ["gates.yaml:2: ", "'acuracy'", "did you mean 'accuracy'"]),
        ("limit: 0.5", "limit: .nan", ["gates.yaml:7: gates.0.limit", "finite"]),
        ("limit: 0.5", "limit: .inf", ["gates.yaml:7: gates.0.limit"]),
        ("limit: 0.5", "limit: '0.5'", ["gates.yaml:7: gates.0.limit"]),
        ("limit: 0.5", "limit: 50", ["write a share, not percent"]),
        ("limit: 0.5", "limit: -0.1", ["outside of what accuracy can be"]),
        ("    limit: 0.5\n", "", ["gates.0.limit: Field required"]),
        ("min_n: 200", "min_n: 0", ["gates.yaml:8: gates.0.min_n"]),
        ("min_n: 200", "min_n: true", ["gates.yaml:8: gates.0.min_n"]),
        ("min_n: 200", "min_n: 200.5", ["gates.yaml:8: gates.0.min_n"]),
        ("min_n: 200", "min_size: 200", ["gates.yaml:8: ", "min_n"]),
        ("    min_n: 200\n", "", ["gates.0.min_n: Field required"]),
        ("statistic: lower", "statistic: mean", ["gates.yaml:5: gates.0.statistic"]),
        ("statistic: lower", "statistic: upper", ["would pass on uncertain evidence, use lower"]),
        ('op: ">="', 'op: "<="', ["would pass on uncertain evidence, use upper"]),
        ('op: ">="', 'op: "=="', ["gates.yaml:6: gates.0.op"]),
        ("name: floor", "name: The Floor", ["gates.yaml:2: gates.0.name"]),
        ("description: why", "description: ''", ["gates.yaml:3: gates.0.description"]),
        ("metric: accuracy", "metric: accuracy_gain_over_champion", ["say `applies: champion`"]),
        ("description: why", "description: why\n    on_missing: pass", ["gates.yaml:4: gates.0.on_missing"]),
        (
            "description: why",
            "description: why\n    severty: high",
            ["unknown key", "did you mean 'severity'?"],
        ),
        ("description: why", "description: why\n    severity: low", ["gates.yaml:4: gates.0.severity"]),
        ("description: why", "description: why\n    confidence: 95", ["gates.yaml:4: gates.0.confidence"]),
        ("statistic: lower", "statistic: paired_upper", ["on uncertain evidence, use paired_lower"]),
        ("statistic: lower", "statistic: paired", ["gates.yaml:5: gates.0.statistic"]),
        ("description: why", "description: why\n    slices: some", ["gates.yaml:4: gates.0.slices"]),
        ("description: why", "description: why\n    slices: each", ["needs min_slice_n"]),
        ("description: why", "description: why\n    min_slice_n: 9", ["nothing without `slices: each`"]),
        (
            "description: why",
            "description: why\n    required_slices: [a]",
            ["nothing without `slices: each`"],
        ),
        (
            "description: why",
            "description: why\n    slices: each\n    min_slice_n: 0",
            ["gates.yaml:5: gates.0.min_slice_n"],
        ),
        (
            "description: why",
            "description: why\n    slices: each\n    min_slice_n: 9\n    slice_limit: 40",
            ["slice_limit 40.0 is outside", "write a share"],
        ),
        (
            "description: why",
            "description: why\n    only_with: training.epoch",
            ["gates.yaml:4: no setting 'training.epoch'"],
        ),
        (
            "description: why",
            "description: why\n    only_with: gateway.max_tokens",
            ["gates.yaml:4: only_with: an environment variable can set 'gateway.max_tokens'", "garak"],
        ),
        (
            '    metric: accuracy\n    statistic: lower\n    op: ">="\n    limit: 0.5',
            '    metric: latency_p95_ms\n    statistic: upper\n    op: "<"\n    limit: -1',
            ["limit -1.0 is outside of what latency_p95_ms can be (0 to inf)"],
        ),
        ("gates:", "gate:", ["gates"]),
        (
            "description: why",
            "description: why\n    description: why",
            ["gates.yaml:4: key 'description' is set twice"],
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    assert RULE.count(old) == 1 or old in ("metric: accuracy",)
    diagnostics = _load(tmp_path, RULE.replace(old, new))
    for part in expected:
        assert part in diagnostics


def test_a_gate_declared_twice_names_both_places(tmp_path: Path) -> None:
    diagnostics = _load(tmp_path, RULE + RULE.removeprefix("gates:\n"))
    assert "gates.yaml:9: gate 'floor' is declared twice" in diagnostics
    assert "first at" in diagnostics
    assert "gates.yaml:2" in diagnostics


@pytest.mark.parametrize("text", ["gates: []\n", "gates: 5\n", "gates:\n", "{}\n", "gates: [5]\n", ""])
def test_a_file_without_rules_is_refused(tmp_path: Path, text: str) -> None:
    assert "gates.yaml:1" in _load(tmp_path, text)


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_gates(tmp_path / "gates.yaml")


def test_a_limit_in_the_metrics_own_unit(tmp_path: Path) -> None:
    text = RULE.replace("metric: accuracy", "metric: latency_p95_ms").replace("lower", "upper")
    (tmp_path / "gates.yaml").write_text(text.replace('">="', '"<="').replace("limit: 0.5", "limit: 1500"))
    assert load_gates(tmp_path / "gates.yaml").gates[0].limit == 1500


def test_only_false_and_null_switch_a_rule_off(tmp_path: Path) -> None:
    more = "    only_with: garak.enabled\n"
    (tmp_path / "gates.yaml").write_text(RULE + more)
    policy = load_gates(tmp_path / "gates.yaml")
    for value, off in ((False, True), (None, True), (0, False), (True, False), ("off", False), ((), False)):
        assert (policy.settings_off({"garak.enabled": value}.__getitem__) != set()) == off, value


@pytest.mark.parametrize("file", FILES, ids=str)
def test_shipped_gates_load_and_fit_the_schema(file: Path) -> None:
    assert load_gates(file).gates
    validator = Draft202012Validator(json.loads(GATES_SCHEMA_FILE.read_text()))
    assert list(validator.iter_errors(yaml.safe_load(file.read_text()))) == []


def test_schema_file_is_in_step_with_the_code() -> None:
    arguments = {"schema": gates_schema, "file": GATES_SCHEMA_FILE}
    assert main(["--check"], **arguments) == 0, "run: python -m tasks.validate.gates_schema --write"  # type: ignore[arg-type]
