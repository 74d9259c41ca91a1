"""Seeds of one-time codes: private files, never replaced by accident, worthless after a rotation."""

from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest

from infra.config.secrets import redact, resolved_values
from infra.errors import ConfigError
from tasks.deploy.voting.codes import PERIOD_S, code_digest, matching_step, new_seed, provisioning_uri
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.deploy.voting.seeds import create_seed, rotate_seed, seed_file
from tests.unit.tasks.deploy.voting.people import Town

# RFC 6238, appendix B, SHA-1, the last six of its eight digits.
RFC_SEED = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC = {1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 20000000000: "353130"}


@pytest.mark.parametrize(("at", "code"), RFC.items())
def test_codes_of_the_standard(at: int, code: str) -> None:
    now = datetime.fromtimestamp(at, UTC)
    assert matching_step(RFC_SEED, code, now) == at // PERIOD_S
    for steps, counts in ((-2, False), (-1, True), (1, True), (2, False)):
        then = datetime.fromtimestamp(at + steps * PERIOD_S, UTC)
        assert (matching_step(RFC_SEED, code, then) is not None) == counts


@pytest.mark.parametrize("code", ["", "08180", "0818040", "٠٨١٨٠٤", " 081804", "08180४"])
def test_what_is_no_code(code: str) -> None:
    assert matching_step(RFC_SEED, code, datetime.fromtimestamp(1111111109, UTC)) is None


def test_a_used_code_is_named_by_person_and_time() -> None:
    assert code_digest("ada", 1) == code_digest("ada", 1)
    assert len({code_digest("ada", 1), code_digest("ada", 2), code_digest("grace", 1)}) == 3


def test_a_seed_is_private_and_not_replaced(tmp_path: Path) -> None:
    seed = create_seed(tmp_path, "ada")
    file = seed_file(tmp_path, "ada")
    assert file.read_text() == seed
    assert len(pyotp.TOTP(seed).byte_secret()) == 20
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ConfigError, match="exists"):
        create_seed(tmp_path, "ada")
    assert file.read_text() == seed


def test_seeds_differ_and_do_not_reach_a_log(tmp_path: Path) -> None:
    assert new_seed() != new_seed()
    seed = create_seed(tmp_path, "ada")
    assert seed not in redact(f"uri {provisioning_uri(seed, 'ada', 'Assay')}", resolved_values())


def test_only_what_is_there_is_rotated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no seed"):
        rotate_seed(tmp_path, "ada")
    create_seed(tmp_path, "ada")
    file = seed_file(tmp_path, "ada")
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")
    with pytest.raises(ConfigError, match="no seed"):
        rotate_seed(tmp_path, "ada")


def test_after_a_rotation_old_codes_are_wrong_and_new_ones_right(ada: Town) -> None:
    ada.ask()
    old = ada.code("ada")
    rotate_seed(ada.home, "ada")
    assert seed_file(ada.home, "ada").stat().st_mode & 0o777 == 0o600
    with pytest.raises(DecisionRefused) as caught:
        ada.enter_code("ada", old)
    assert caught.value.code == Why.WRONG_CODE
    assert ada.enter_code("ada").state == "approved"


def test_a_rotation_leaves_earlier_decisions_proven(ada: Town) -> None:
    ada.ask()
    ada.enter_code("ada")
    rotate_seed(ada.home, "ada")
    ada.prove()


def test_a_seed_that_is_none_is_not_repeated(ada: Town) -> None:
    ada.ask()
    file = seed_file(ada.home, "ada")
    file.write_text("not base 32!")
    with pytest.raises(DecisionRefused, match="not base32") as caught:
        ada.enter_code("ada", "123456")
    assert "not base 32!" not in caught.value.diagnostics()
