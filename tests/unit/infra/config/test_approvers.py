"""Files of approvers: what is refused names the place, what is shipped lets nobody decide."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from infra.config.approvers import approvers_schema, load_approvers
from infra.config.approvers_schema import APPROVERS_SCHEMA_FILE
from infra.config.load import REPOSITORY
from infra.config.schema import main
from infra.errors import ConfigError

ADA = "approvers:\n  ada: {roles: [release-manager], key: ada.pub}\n"
BOB = "  bob: {roles: [security], totp: 'file:/x'}\n"


def load(tmp_path: Path, text: str) -> None:
    file = tmp_path / "approvers.yaml"
    file.write_text(text)
    load_approvers(file, ("production", "embedded"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "approvers:\n  ada: {roles: [release-manager]}\n",
            r":2: approvers.ada: .*a name alone proves nothing",
        ),
        ("approvers:\n  Ada: {key: ada.pub}\n", r"approvers.Ada"),
        ("approvers:\n  'policy:auto': {key: ada.pub}\n", "policy:auto"),
        ("approvers:\n  ada: {key: ada.pub, rolls: []}\n", "unknown key 'approvers.ada.rolls'"),
        ("approvers:\n  ada: {totp: JBSWY3DPEHPK3PXP}\n", "env:NAME, file:PATH"),
        (ADA + "  eve: {key: ada.pub}\n", "ada and eve have the same key"),
        (ADA + BOB + "  eve: {totp: 'file:/x'}\n", "bob and eve have the same totp"),
        (ADA + "default: {quorum: 0}\n", r":3: default.quorum"),
        (ADA + "default: {roles: []}\n", "default.roles"),
        (ADA + "default: {methods: []}\n", "default.methods"),
        (ADA + "default: {methods: [name]}\n", "default.methods"),
        (ADA + "default: {one_of_each: [security]}\n", "not among the roles that decide"),
        (ADA + "rules:\n  prodution: {quorum: 2}\n", r":4: no profile 'prodution'"),
        (
            ADA + "delegations:\n  - {delegator: ada, delegate: bob, until: 2027-01-01T00:00:00Z}\n",
            "'bob' is no",
        ),
        (ADA + BOB + "delegations:\n  - {delegator: ada, delegate: bob, until: 2027-01-01}\n", "until"),
        (
            ADA + "delegations:\n  - {delegator: ada, delegate: ada, until: 2027-01-01T00:00:00Z}\n",
            "themselves",
        ),
        ("approvers: [ada]\n", "approvers"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, text)


def test_a_seed_in_the_file_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "approvers:\n  ada: {totp: JBSWY3DPEHPK3PXP}\n")
    assert "JBSWY3DPEHPK3PXP" not in caught.value.diagnostics()


def test_a_profile_has_its_own_rule_or_the_default(tmp_path: Path) -> None:
    file = tmp_path / "approvers.yaml"
    file.write_text(ADA + "default: {quorum: 3}\nrules: {production: {quorum: 2, four_eyes: false}}\n")
    policy = load_approvers(file, ("production",))
    assert (policy.rule("production").quorum, policy.rule("production").four_eyes) == (2, False)
    assert (policy.rule("embedded").quorum, policy.rule("embedded").four_eyes) == (3, True)


def test_the_shipped_file_lets_nobody_decide_and_keeps_four_eyes() -> None:
    policy = load_approvers(REPOSITORY / "configs" / "approvers.yaml")
    assert policy.approvers == {}
    assert policy.default.four_eyes


def test_the_schema_is_in_step_with_the_code_and_fits_the_shipped_file() -> None:
    assert main(["--check"], schema=approvers_schema, file=APPROVERS_SCHEMA_FILE) == 0, "run: make schema"
    values = yaml.safe_load((REPOSITORY / "configs" / "approvers.yaml").read_text())
    validator = Draft202012Validator(approvers_schema())
    assert list(validator.iter_errors(values)) == []
    assert list(validator.iter_errors({**values, "aprovers": {}}))
