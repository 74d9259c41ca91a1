"""Releases whose stages are signed by different keys and identities, and what happens when they are not."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.refusal import Reason, VerificationError
from infra.signing import TrustRoot, VerifiedRelease, create_key, open_trust, verify_release
from infra.signing.signer import SignerIdentity
from infra.store import FileStore
from infra.trust import Stage
from tasks.deploy.packaging import package_release
from tasks.records import Release
from tests.integration.tamper.packaged import Packaged
from tests.private_sigstore import ANN, PrivateSigstore
from tests.signed import POLICY, signer_of
from tests.unit.tasks.deploy.samples import make_sample

EVE = "eve@example.com"


def apart(packaged: Packaged) -> None:
    """Gates are signed by somebody else than provenance, and the policy wants it so."""
    packaged.stage("gates", signers=[{"key": packaged.other.key_id}], not_same_as=["provenance", "release"])
    packaged.attest({Stage.GATES: signer_of(packaged.other)})


def test_trainer_and_validator_with_keys_of_their_own_are_accepted(packaged: Packaged) -> None:
    apart(packaged)
    with packaged.verify() as release:
        assert release.signers[Stage.GATES] == SignerIdentity(packaged.other.key_id)
        assert release.signers[Stage.PROVENANCE] == SignerIdentity(packaged.keys.key_id)


def test_one_who_takes_both_parts_is_refused(packaged: Packaged) -> None:
    apart(packaged)
    validator = signer_of(packaged.other)
    both = [{"key": packaged.other.key_id}, "installation"]
    packaged.stage("provenance", signers=both)
    packaged.attest({Stage.GATES: validator, Stage.PROVENANCE: validator})
    with pytest.raises(VerificationError) as refused:
        packaged.verify()
    assert refused.value.reason == Reason.SAME_SIGNER


def test_a_stage_that_must_differ_from_one_that_is_not_there_is_refused(packaged: Packaged) -> None:
    packaged.stage("gates", not_same_as=["environment"])
    packaged.policed(required=["gates"])
    packaged.remove("attestations/environment.sigstore.json")
    packaged.remove("attestations/verification.sigstore.json")
    packaged.seal()
    with pytest.raises(VerificationError, match="nobody signed environment") as refused:
        packaged.verify()
    assert refused.value.reason == Reason.ATTESTATION_MISSING


@dataclass
class Keyless:
    """A release that one identity signed, all stages, at a private Sigstore."""

    root: Path
    sigstore: PrivateSigstore

    def __post_init__(self) -> None:
        self.store = FileStore(self.root / "store")
        self.policy = self.sigstore.directory / "trust.yaml"
        self.trusting(ANN, self.sigstore.url)

    def trusting(self, identity: str, issuer: str, **changes: Any) -> TrustRoot:
        """The policy that this identity may sign everything; what lies in the file, opened."""
        values = yaml.safe_load(POLICY.read_text())
        succeeds = [self.trust.policy.digest] if self.policy.exists() else []
        values |= {"trusted_root": self.sigstore.trust_config.name, "succeeds": succeeds}
        signers = [{"identity": identity, "issuer": issuer}]
        values["stages"] = {stage: {"signers": signers} for stage in values["stages"]}
        self.policy.write_text(yaml.safe_dump(values | changes))
        return self.trust

    @property
    def trust(self) -> TrustRoot:
        return open_trust(self.policy, self.root / "no-installation.pub")

    def package(self, subject: str = ANN) -> Release:
        sample = make_sample(self.store, self.root)
        return package_release(
            sample.candidate,
            sample.report,
            store=self.store,
            releases_dir=self.root / "releases",
            files=sample.files,
            sequence=1,
            signer=self.sigstore.signer(subject),
            trust=self.trust,
            evidence=sample.evidence,
        )

    def verify(self, release: Release, trust: TrustRoot) -> VerifiedRelease:
        return verify_release(Path(release.directory), trust=trust, store=self.store)


@pytest.fixture
def keyless(tmp_path: Path, sigstore: PrivateSigstore) -> Keyless:
    return Keyless(tmp_path, sigstore)


def test_an_identity_signs_a_release_and_is_known_from_it(keyless: Keyless) -> None:
    with keyless.verify(keyless.package(), keyless.trust) as release:
        assert set(release.signers.values()) == {SignerIdentity(ANN, keyless.sigstore.url)}


def test_an_identity_that_the_policy_does_not_name_publishes_nothing(keyless: Keyless) -> None:
    with pytest.raises(VerificationError) as refused:
        keyless.package(EVE)
    assert refused.value.reason == Reason.SIGNER_UNTRUSTED
    assert f"got signer {EVE} by {keyless.sigstore.url}, expected {ANN} by" in refused.value.message


def another_identity(keyless: Keyless) -> TrustRoot:
    return keyless.trusting(EVE, keyless.sigstore.url)


def another_issuer(keyless: Keyless) -> TrustRoot:
    return keyless.trusting(ANN, "https://issuer.example")


def revoked(keyless: Keyless) -> TrustRoot:
    identities = [{"identity": ANN, "issuer": keyless.sigstore.url}]
    return keyless.trusting(ANN, keyless.sigstore.url, revoked={"identities": identities})


def revoked_whatever_the_issuer(keyless: Keyless) -> TrustRoot:
    return keyless.trusting(ANN, keyless.sigstore.url, revoked={"identities": [{"identity": ANN}]})


def only_keys(keyless: Keyless) -> TrustRoot:
    pair = create_key(keyless.root / "keys")
    keys_only = open_trust(POLICY, pair.public)
    succeeds = (keyless.trust.policy.digest,)
    return replace(keys_only, policy=keys_only.policy.model_copy(update={"succeeds": succeeds}))


@pytest.mark.parametrize(
    ("trusting", "reason"),
    [
        (another_identity, Reason.SIGNER_UNTRUSTED),
        (another_issuer, Reason.SIGNER_UNTRUSTED),
        (revoked, Reason.SIGNER_REVOKED),
        (revoked_whatever_the_issuer, Reason.SIGNER_REVOKED),
        (only_keys, Reason.SIGNER_UNTRUSTED),
    ],
)
def test_a_keyless_release_is_refused_when_its_signer_is_not_trusted(
    keyless: Keyless, trusting: Callable[[Keyless], TrustRoot], reason: Reason
) -> None:
    release = keyless.package()
    with pytest.raises(VerificationError) as refused:
        keyless.verify(release, trusting(keyless))
    assert refused.value.reason == reason


def test_certificates_of_another_instance_are_refused(
    keyless: Keyless, other_sigstore: PrivateSigstore
) -> None:
    from infra.signing.trusted import by_certificate

    release = keyless.package()
    elsewhere = replace(keyless.trust, certificates=partial(by_certificate, other_sigstore.trust_config))
    with pytest.raises(VerificationError) as refused:
        keyless.verify(release, elsewhere)
    assert refused.value.reason == Reason.SIGNATURE_INVALID
