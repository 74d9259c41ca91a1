"""The gateway's trust: a revocation ends the service of a release that was admitted before."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.checkpoints import Checkpoints
from infra.errors import ConfigError
from infra.gateway.trust import LIVE_STATES, Trust
from infra.refusal import Reason, VerificationError
from infra.signing import open_trust
from infra.signing.rotation import rotate_key, void_key
from tests.integration.inference.conftest import Installation
from tests.signed import POLICY


class Guarded:
    """An installation with a champion, and a trust policy file that can be changed."""

    def __init__(self, root: Path) -> None:
        self.installation = Installation(root / "home")
        self.release = self.installation.promote(self.installation.release())
        self.policy, self.key = root / "trust.yaml", root / "home" / "keys" / "signing.pub"
        self.write()
        self.trust = Trust(root / "home", lambda: open_trust(self.policy, self.key), self.installation.ledger)

    def write(self, **revoked: list[Any]) -> None:
        self.policy.write_text(yaml.safe_dump(yaml.safe_load(POLICY.read_text()) | {"revoked": revoked}))


@pytest.fixture
def guarded(tmp_path: Path) -> Guarded:
    return Guarded(tmp_path)


@pytest.mark.parametrize("what", ["key", "release"])
def test_a_revoked_release_is_withdrawn_and_not_admitted_again(guarded: Guarded, what: str) -> None:
    route = guarded.trust.admit(guarded.release, LIVE_STATES, "triage")
    assert guarded.trust.banned(route) is None
    if what == "key":
        guarded.write(keys=[open_trust(guarded.policy, guarded.key).installation.key_id])  # type: ignore[union-attr]  # it has one
    else:
        guarded.write(releases=[guarded.release])
    assert "revoked" in str(guarded.trust.banned(route))
    with pytest.raises(VerificationError) as refused:
        guarded.trust.admit(guarded.release, LIVE_STATES, "triage")
    assert refused.value.reason == (Reason.SIGNER_REVOKED if what == "key" else Reason.RELEASE_REVOKED)


def test_a_policy_that_cannot_be_read_withdraws_nothing_and_admits_nothing(guarded: Guarded) -> None:
    route = guarded.trust.admit(guarded.release, LIVE_STATES, "triage")
    guarded.policy.write_text("version: 1\n")
    assert guarded.trust.banned(route) is None
    with pytest.raises(ConfigError):
        guarded.trust.admit(guarded.release, LIVE_STATES, "triage")


def test_a_release_of_another_project_is_not_admitted(guarded: Guarded) -> None:
    with pytest.raises(VerificationError) as refused:
        guarded.trust.admit(guarded.release, LIVE_STATES, "other")
    assert refused.value.reason == Reason.PRESENTED_AS_ANOTHER


def test_a_release_whose_signer_counts_no_more_is_withdrawn(guarded: Guarded) -> None:
    home = guarded.key.parent.parent
    route = guarded.trust.admit(guarded.release, LIVE_STATES, "triage")
    old = rotate_key(home).old
    assert guarded.trust.banned(route) is None
    Checkpoints(home).restart(guarded.installation.ledger.entries())
    void_key(home, old)
    assert "not trusted" in str(guarded.trust.banned(route))
