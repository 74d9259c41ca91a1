"""No variable sets what decides whether a release may go live; files do."""

from pathlib import Path

import pytest

from infra.config.file_only import FILE_ONLY, is_file_only
from infra.config.load import REPOSITORY, load_project
from infra.config.lookup import is_setting, setting_value
from infra.errors import ConfigError
from tests.conftest import Configure


def refusal(variable: str, value: str, home: str = "/dev/null") -> ConfigError:
    with pytest.raises(ConfigError) as caught:  # before anything is made below ASSAY_HOME
        load_project(environ={"ASSAY_HOME": home, variable: value})
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("ASSAY_APPROVAL__POLICY", "auto", "approval.policy"),
        ("ASSAY_APPROVERS", "mallory.yaml", "approvers"),
        ("ASSAY_GATES", "other.yaml", "gates"),
        ("ASSAY_REQUIREMENTS", "other.yaml", "requirements"),
        ("ASSAY_TRUST", "mine.yaml", "trust"),
        ("ASSAY_WAIVERS__OWNERS", "{mallory: key.pub}", "waivers.owners.mallory"),
        ("ASSAY_WAIVERS__LONGEST_DAYS", "366", "waivers.longest_days"),
        ("ASSAY_ROBUSTNESS__CONFIDENCE", "0.01", "robustness.confidence"),
        ("ASSAY_FAIRNESS__BAND", "0.99", "fairness.band"),
        ("ASSAY_FAIRNESS__LISTS", "empty", "fairness.lists"),
        ("ASSAY_REDTEAM__CORPORA", "harmless", "redteam.corpora"),
        ("ASSAY_REDTEAM__MAX_NEW_TOKENS", "8", "redteam.max_new_tokens"),
        ("ASSAY_GARAK__ENABLED", "false", "garak.enabled"),
        ("ASSAY_SCREENING__LEAST_TRIGGER_RECALL", "0", "screening.least_trigger_recall"),
        ("ASSAY_SCREENING__LEAST_FLIP_RECALL", "0", "screening.least_flip_recall"),
        ("ASSAY_VALIDATION__MAX_EVIDENCE_AGE", "99999", "validation.max_evidence_age"),
        ("ASSAY_ENVIRONMENT__UNNAMED_SECRETS", "report", "environment.unnamed_secrets"),
        ("ASSAY_ENVIRONMENT__ALLOWED_SECRETS", "['*']", "environment.allowed_secrets"),
        ("ASSAY_BASE__ALLOWED_LICENCES", "[Gemma]", "base.allowed_licences"),
        ("ASSAY_DATA__ALLOWED_LICENCES", "[]", "data.allowed_licences"),
        ("ASSAY_LEDGER", "sqlite:///empty.db", "ledger"),
        ("ASSAY_STORE", "s3://other/bucket", "store"),
        ("ASSAY_S3__LOCK_MODE", "null", "s3.lock_mode"),
    ],
)
def test_a_variable_is_refused(variable: str, value: str, setting: str) -> None:
    error = refusal(variable, value)
    assert error.message.startswith(f"environment variable {variable} would change {setting}: ")
    assert error.hint.startswith(f"unset {variable}; to change {setting}, write it into the project file or")


def test_every_refused_section_has_a_case() -> None:
    (cases,) = (mark.args[1] for mark in test_a_variable_is_refused.pytestmark)  # type: ignore[attr-defined]  # set by the decorator
    names = [setting for _, _, setting in cases]
    assert [part for part in FILE_ONLY if not any(f"{name}.".startswith(f"{part}.") for name in names)] == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ASSAY_APPROVAL", "{policy: auto}"),  # a whole section
        ("ASSAY_GARAK", "{}"),
        ("ASSAY_GATES", ""),
        ("ASSAY_Approval__Policy", "auto"),  # any case
        ("ASSAY_SCREENING", "{folds: 5, least_flip_recall: 0}"),  # inside of a section that is free
        ("ASSAY_BASE", "{scored_rows: 11, <<: {allowed_licences: [Gemma]}}"),  # a YAML merge
        ("ASSAY_APPROVAL__", "auto"),
        ("ASSAY_APPROVAL__POLICY", "person"),  # also where it changes nothing, or is stricter
    ],
)
def test_no_other_way_of_writing_it(variable: str, value: str) -> None:
    assert f"variable {variable} would change" in refusal(variable, value).message


@pytest.mark.parametrize(
    ("variable", "value"),
    [("ASSAY_SCREENING", "null"), ("ASSAY_BASE", "[]"), ("ASSAY_VALIDATION", "null"), ("ASSAY_DATA", "null")],
)
def test_a_section_with_a_decision_in_it_cannot_be_emptied(variable: str, value: str, tmp_path: Path) -> None:
    section = variable.removeprefix("ASSAY_").lower()
    assert f"environment: {section}: " in refusal(variable, value, str(tmp_path)).message


def test_a_password_in_the_variable_is_not_repeated() -> None:
    error = refusal("ASSAY_LEDGER", "postgresql://ada:s3cr3t@db/ledger")
    assert "s3cr3t" not in error.diagnostics()


@pytest.mark.parametrize("name", FILE_ONLY)
def test_what_is_listed_exists(name: str) -> None:
    assert is_setting(name)
    assert is_file_only(name)
    assert f"`{name}`" in (REPOSITORY / "README.md").read_text()


@pytest.mark.parametrize("name", ["training.epochs", "gatesx", "base", "base.allowed", "garak-x.enabled"])
def test_names_that_only_look_alike_are_free(name: str) -> None:
    assert not is_file_only(name)


@pytest.mark.parametrize(
    ("variable", "value", "setting", "expected"),
    [
        ("ASSAY_SCREENING__FOLDS", "3", "screening.folds", 3),
        ("ASSAY_VALIDATION__PARALLEL_CHECKS", "1", "validation.parallel_checks", 1),
        ("ASSAY_BASE__SCORED_ROWS", "11", "base.scored_rows", 11),
    ],
)
def test_the_rest_of_such_a_section_stays_free(
    variable: str, value: str, setting: str, expected: object, configure: Configure
) -> None:
    configs = configure()
    environ = {"ASSAY_CONFIGS": str(configs), "ASSAY_HOME": str(configs.parent / "home"), variable: value}
    assert setting_value(load_project(environ=environ), setting) == expected


def test_files_set_them(configure: Configure) -> None:
    configs = configure(approvers="people.yaml", garak={"prompts": 3})
    environ = {"ASSAY_CONFIGS": str(configs), "ASSAY_HOME": str(configs.parent / "home")}
    project = load_project(profile="production", environ=environ)
    assert (project.approvers, project.approval.policy) == (Path("people.yaml"), "person")
    assert (project.garak.prompts, project.garak.enabled) == (30, True)  # the profile's
