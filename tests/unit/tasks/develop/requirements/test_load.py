"""What must be refused about a threat model, by line; then what it hands on."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.config import load_project, project_names
from infra.config.schema import main
from infra.digest import digest_bytes
from infra.errors import ConfigError
from tasks.develop.requirements import gate_metrics, load_requirements, requirements_document
from tasks.develop.requirements.catalogue import ATLAS
from tasks.develop.requirements.load import check_requirements
from tasks.develop.requirements.schema import SCHEMA_FILE, threat_model_schema
from tests.unit.tasks.develop.requirements.models import GOOD, load, project_with, with_threat

WAIVER = "waiver: {reason: Old, owner: Ada, expires: 2026-11-30}"
ACCEPTED = "accepted: {reason: Cheap, owner: Ada}"


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("threats: []\n", "threats.yaml:1: boundaries: Field required"),
        (changed("severity: high\n", "severity: huge\n"), "threats.yaml:16: threats.0.severity"),
        (changed("title: Bad rows", "titel: Bad rows"), "threats.yaml:15: threats.0.titel: Extra inputs"),
        (changed("AML.T0020", "AML.T0040"), "'AML.T0040' is not in our table"),
        (changed("risk: poisoning", "risk: poison"), "threats.0.risk: unknown risk 'poison'"),
        (changed("stride: [T]", "stride: [X]"), "threats.0.stride.0"),
        (changed("stride: [T]", "stride: []"), "threats.0.stride"),
        (changed("affects: [fetch, rows]", "affects: []"), "threats.0.affects"),
        (changed("[floor, ", "[flor, "), "threats.yaml:14: names the unknown control 'flor'"),
        (changed("[fetch, rows]", "[fetch, row]"), "names the unknown asset, flow or element 'row'"),
        (changed("held_by: [source, disk]", "held_by: [tape]"), "unknown element 'tape'"),
        (changed("target: disk", "target: tape"), "unknown element 'tape'"),
        (
            changed("carries: [rows]}\n  - {key: keep", "carries: [raws]}\n  - {key: keep"),
            "unknown asset 'raws'",
        ),
        (changed("kind: process, boundary: inside", "kind: process, boundary: in"), "unknown boundary 'in'"),
        (changed("key: least-rows", "key: floor"), "threats.yaml:24: key 'floor' is used twice"),
        (changed("key: disk", "key: rows"), "key 'rows' is used twice"),
        (
            changed("[floor, least-rows, ", "[least-rows, "),
            "threats.yaml:23: control 'floor' answers no threat",
        ),
        (changed("affects: [fetch, rows]", "affects: [rows]"), "flow 'fetch' crosses a trust boundary"),
        (changed("affects: [fetch, rows]", "affects: [fetch]"), "no threat considers the asset 'rows'"),
        (
            changed("  - {risk: misinformation, reason: None of it}\n", ""),
            "no threat belongs to the risk 'misin",
        ),
        (changed("{risk: misinformation,", "{risk: poisoning,"), "no threat belongs to the risk 'misin"),
        (
            GOOD + "  - {risk: poisoning, reason: None}\n",
            "risk 'poisoning' is not applicable and has a threat",
        ),
    ],
)
def test_a_bad_threat_model_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, content)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            changed("gate: accuracy-floor", "gate: accuracy-flor"),
            "'floor' names the unknown gate 'accuracy-flor'",
        ),
        (changed("gate: accuracy-floor", "gate: other-gate"), "judges macro_accuracy, expected accuracy"),
        (changed(", metric: accuracy", ""), "a gate needs `metric`"),
        (changed(", in_force: {at_least: 50}", ""), "a setting needs `in_force`"),
        (
            changed("at_least: 50", "at_least: 101"),
            "not in force: data.min_rows: got 100, expected at least 101",
        ),
        (changed("at_least: 50", "at_least: 50, at_most: 60"), "needs exactly one of"),
        (changed("data.min_rows", "data.min_row"), "names the unknown setting 'data.min_row'"),
        (changed("data.min_rows", "data.min_rows.x"), "names the unknown setting"),
        (changed("gate: accuracy-floor, metric: accuracy", "title: x"), "needs a proof"),
        (changed("::Ledger", "::Lodger"), "infra/ledger.py defines no Lodger"),
        (changed("infra/ledger.py", "infra/lodger.py"), "infra/lodger.py does not exist"),
        (changed("infra/ledger.py", "../ledger.py"), "controls.2.always"),
        (changed("test_chain_and_head", "test_chain_and_tail"), "defines no test_chain_and_tail"),
        (changed("tests/unit/infra/test_ledger.py::", "tests/unit/infra/test_ledger.py"), "controls.2.test"),
    ],
)
def test_a_control_without_a_proof_that_holds_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, content.replace(", title: Floor, title: x", ", title: x"))
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("fields", "severity", "message"),
    [
        ((), "high", "high threat 'other' has neither a control nor a waiver"),
        ((), "medium", "medium threat 'other' has neither"),
        ((), "low", "low threat 'other' has neither"),
        ((ACCEPTED,), "high", "high threat 'other' is accepted without an end"),
        ((ACCEPTED, "controls: [floor]"), "low", "accepted although something is done about it"),
        ((ACCEPTED, WAIVER), "low", "accepted although something is done about it"),
        ((WAIVER.replace("2026-11-30", "2026-11-29"),), "low", "its waiver expired on 2026-11-29"),
        ((WAIVER.replace("11-30", "11-29"), "controls: [floor]"), "high", "its waiver expired"),
        ((WAIVER.replace("reason: Old, ", ""),), "high", "waiver.reason"),
        ((WAIVER.replace("owner: Ada, ", ""),), "high", "waiver.owner"),
        ((WAIVER.replace(", expires: 2026-11-30", ""),), "high", "waiver.expires"),
        ((ACCEPTED.replace(", owner: Ada", ""),), "low", "accepted.owner"),
    ],
)
def test_a_threat_that_nothing_is_done_about_is_refused(
    tmp_path: Path, fields: tuple[str, ...], severity: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, with_threat(*fields, severity=severity))
    assert message in caught.value.message


@pytest.mark.parametrize(("fields", "severity"), [(WAIVER, "high"), (WAIVER, "low"), (ACCEPTED, "medium")])
def test_a_person_may_live_with_a_threat(tmp_path: Path, fields: str, severity: str) -> None:
    found = load(tmp_path, with_threat(fields, severity=severity))  # the last day of a waiver still counts
    assert [w.threat for w in found.waived] == (["other"] if fields == WAIVER else [])
    if fields == WAIVER:
        with pytest.raises(ConfigError, match="expired"):
            load(tmp_path, with_threat(fields, severity=severity), date(2026, 12, 1))


def test_without_tests_beside_the_code_an_id_only_has_to_be_well_formed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = changed("test_chain_and_head", "test_chain_and_tail")
    monkeypatch.setattr("tasks.develop.requirements.load.is_checkout", lambda root: False)
    assert load(tmp_path, content)


def test_all_problems_are_found_at_once(tmp_path: Path) -> None:
    content = changed("data.min_rows", "data.min_row").replace("::Ledger", "::Lodger")
    _, problems = check_requirements(project_with(tmp_path, content), {})
    assert [problem.subject for problem in problems] == ["floor", "least-rows", "ledger"]
    with pytest.raises(ConfigError, match=r"\(and 2 more: assay threats check\)"):
        load(tmp_path, content, gates={})


def test_what_is_demanded_is_handed_on(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert found.controls == ("floor", "least-rows", "ledger")
    assert (found.gates, found.metrics) == (("accuracy-floor",), {"accuracy-floor": "accuracy"})
    assert (list(found.settings), found.risks) == (["data.min_rows"], ("poisoning",))
    assert found.digest != load(tmp_path, changed("Bad rows", "Worse rows")).digest
    assert found.digest == load(tmp_path, "# comment\n" + GOOD).digest
    data = {"source": "attack-stix", "licence": "MIT", "min_rows": 60}
    assert found.settings != load(tmp_path, GOOD, data=data).settings


def test_the_digest_is_that_of_the_document(tmp_path: Path) -> None:
    document = requirements_document(project_with(tmp_path, GOOD))
    assert digest_bytes(document) == load(tmp_path, GOOD).digest
    # The document is itself a threat model: an auditor may check it again.
    assert load(tmp_path, document.decode()).digest == digest_bytes(document)


@pytest.mark.parametrize("name", project_names())
def test_the_threat_models_of_this_repository_hold(name: str) -> None:
    project = load_project(name)
    found = load_requirements(project, gate_metrics(project))
    assert found.gates
    assert len(found.risks) >= 8


def test_schema_file_is_in_step_with_the_code() -> None:
    assert main(["--check"], schema=threat_model_schema, file=SCHEMA_FILE) == 0


def test_the_schema_fits_and_refuses() -> None:
    validator = Draft202012Validator(threat_model_schema())
    values = yaml.safe_load(GOOD)
    assert list(validator.iter_errors(values)) == []
    values["threats"][0]["atlas"] = ["AML.T0040"]
    assert list(validator.iter_errors(values))
    assert "AML.T0040" not in ATLAS
