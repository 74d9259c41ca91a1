"""Decisions of people whom an OIDC issuer knows, signed against a real private Sigstore."""

from pathlib import Path

import pytest
import yaml

from infra.config.source import read_yaml
from tasks.deploy.voting.cast import cast_signed
from tasks.deploy.voting.expiry import why_expired
from tasks.deploy.voting.installation import trusted_of
from tasks.deploy.voting.proof import check_decision
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tests.conftest import Configure
from tests.private_sigstore import ANN, PrivateSigstore
from tests.unit.tasks.deploy.voting.people import RELEASE, Town, answered


@pytest.fixture
def town(
    tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch, sigstore: PrivateSigstore
) -> Town:
    """Ann decides by her identity, Grace by key."""
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    town = Town(tmp_path, configure())
    town.person("grace", totp=True)
    town.people["ann"] = {
        "roles": ["release-manager"],
        "identity": {"subject": ANN, "issuer": sigstore.url},
    }
    town.write()
    trust(town, trusted_root=str(sigstore.trust_config))
    return town


def trust(town: Town, **changes: object) -> None:
    file = town.configs / "trust.yaml"
    file.write_text(yaml.safe_dump(read_yaml(file).values | changes))


def test_an_identity_decides_and_is_proven_offline(town: Town, sigstore: PrivateSigstore) -> None:
    workspace = town.ask()
    assert cast_signed(workspace, RELEASE, answered("ann"), sigstore.signer()).state == "approved"
    (vote,) = check_decision(
        workspace.ledger.entries(), workspace.store, "triage", RELEASE, trusted_of(workspace)
    ).votes
    assert (vote.decision.approver, vote.decision.method) == ("ann", "keyless")
    assert why_expired(workspace, RELEASE) == ""


@pytest.mark.parametrize("name", ["ann", "grace"])
def test_another_identity_decides_nothing(town: Town, sigstore: PrivateSigstore, name: str) -> None:
    workspace = town.ask()
    with pytest.raises(DecisionRefused) as caught:
        cast_signed(workspace, RELEASE, answered(name), sigstore.signer("eve@example.com"))
    assert caught.value.code == (Why.UNSIGNED if name == "ann" else Why.METHOD)
    assert town.state() == "awaiting-approval"


def test_an_identity_of_another_sigstore(
    town: Town, sigstore: PrivateSigstore, other_sigstore: PrivateSigstore
) -> None:
    workspace = town.ask()
    with pytest.raises(DecisionRefused) as caught:
        cast_signed(workspace, RELEASE, answered("ann"), other_sigstore.signer())
    assert caught.value.code == Why.UNSIGNED


def test_who_is_revoked_decides_nothing_any_more(town: Town, sigstore: PrivateSigstore) -> None:
    workspace = town.ask()
    trust(town, revoked={"identities": [{"identity": ANN}], "keys": [town.rules().voters["grace"].key_id]})
    signers = {"ann": sigstore.signer(), "grace": town.signer("grace")}
    for name, signer in signers.items():
        with pytest.raises(DecisionRefused, match="revoked") as caught:
            cast_signed(workspace, RELEASE, answered(name), signer)
        assert caught.value.code == Why.UNSIGNED


def test_the_installation_approves_only_where_the_trust_policy_lets_it(town: Town) -> None:
    town.ask()
    stages = read_yaml(town.configs / "trust.yaml").values["stages"]
    trust(
        town, stages={**stages, "approval": {"signers": [{"identity": ANN, "issuer": "https://x.example"}]}}
    )
    with pytest.raises(DecisionRefused) as caught:
        town.enter_code("grace")
    assert caught.value.code == Why.UNSIGNED
    assert town.sign("grace").state == "approved"
