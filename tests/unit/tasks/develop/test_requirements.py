from datetime import date
from pathlib import Path

import pytest

from infra.config import config_root
from infra.config.source import read_yaml
from infra.errors import ConfigError
from tasks.develop.requirements import load_requirements
from tasks.records import SecurityRequirements

GATES = {"accuracy-superior-to-base", "accuracy-non-inferior-to-champion", "accuracy-floor"}
GOOD = """\
threats:
  - key: poisoning
    title: Bad rows
    severity: high
    owasp_2025: LLM04
    owasp_2026: LLM05
    atlas: [AML.T0020]
    controls: [floor, rows]
controls:
  - {key: floor, title: Floor, gate: accuracy-floor}
  - {key: rows, title: Rows, setting: data.min_rows}
"""
WAIVER = "waiver: {reason: Old, accepted_by: Ada, expires: 2026-11-30}"


def load(tmp_path: Path, content: str, today: date = date(2026, 11, 30)) -> SecurityRequirements:
    file = tmp_path / "threats.yaml"
    file.write_text(content, encoding="utf-8")
    return load_requirements(file, GATES, today=today)


def uncontrolled(more: str = "") -> str:
    extra = f"  - {{key: other, title: O, severity: high{', ' + more if more else ''}}}\ncontrols:"
    return GOOD.replace("controls:\n  - {", extra + "\n  - {")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("threats: []\ncontrols: []\n", "threats.yaml:1: threats"),
        (GOOD.replace("severity: high", "severity: huge"), "threats.yaml:4: threats.0.severity"),
        (GOOD.replace("title: Bad rows", "titel: Bad rows"), "threats.yaml:"),
        (GOOD.replace("AML.T0020", "T0020"), "threats.0.atlas.0"),
        (GOOD.replace("LLM04", "LLM11"), "threats.0.owasp_2025"),
        (GOOD.replace("[floor, rows]", "[flor, rows]"), "names the unknown control 'flor'"),
        (GOOD.replace("[floor, rows]", "[rows]"), "threats.yaml:10: control 'floor' answers no threat"),
        (GOOD.replace("key: rows", "key: floor"), "threats.yaml:11: key 'floor' is used twice"),
        (
            GOOD.replace("accuracy-floor", "accuracy-flor"),
            "threats.yaml:10: control 'floor' names the unknown",
        ),
        (GOOD.replace("data.min_rows", "data.min_row"), "names the unknown setting 'data.min_row'"),
        (GOOD.replace("data.min_rows", "data.min_rows.x"), "names the unknown setting"),
        (GOOD.replace(", gate: accuracy-floor", ""), "exactly one proof"),
        (GOOD.replace("gate: accuracy-floor", "gate: accuracy-floor, always: x"), "exactly one proof"),
        (uncontrolled(), "threats.yaml:9: high threat 'other' has neither a control nor a waiver"),
    ],
)
def test_a_bad_threat_model_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, content)
    assert message in caught.value.message


def test_an_expired_waiver_is_no_waiver(tmp_path: Path) -> None:
    content = uncontrolled(WAIVER)
    assert load(tmp_path, content).controls == ("floor", "rows")  # its last day still counts
    with pytest.raises(ConfigError, match=r"high threat 'other': its waiver expired on 2026-11-30"):
        load(tmp_path, content, date(2026, 12, 1))


@pytest.mark.parametrize("part", ["reason: Old", "accepted_by: Ada", "expires: 2026-11-30"])
def test_a_waiver_needs_all_its_parts(tmp_path: Path, part: str) -> None:
    with pytest.raises(ConfigError, match="waiver"):
        load(tmp_path, uncontrolled(WAIVER.replace(part, "")))


def test_a_low_threat_may_stay_open(tmp_path: Path) -> None:
    assert load(tmp_path, uncontrolled().replace("title: O, severity: high", "title: O, severity: low"))


def test_what_is_demanded_is_handed_on(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert (found.controls, found.gates) == (("floor", "rows"), ("accuracy-floor",))
    assert found.digest != load(tmp_path, GOOD.replace("Bad rows", "Worse rows")).digest
    assert found.digest == load(tmp_path, "# comment\n" + GOOD).digest


def test_our_own_threat_model_holds_with_our_own_gates() -> None:
    root = config_root()
    gates = {rule["name"] for rule in read_yaml(root / "gates.yaml").values["gates"]}
    assert set(load_requirements(root / "threat-model.yaml", gates).gates) <= gates


def test_code_that_enforces_a_control_exists() -> None:
    root = config_root()
    for control in read_yaml(root / "threat-model.yaml").values["controls"]:
        if "always" in control:
            assert (root.parent / control["always"]).exists(), control["key"]
