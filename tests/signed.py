"""What every test release needs: the shipped trust policy, and the attestations that it requires."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from infra.config.load import REPOSITORY
from infra.digest import digest_bytes, digest_file
from infra.origin.vsa import passed_summary
from infra.signing import KeyPair, TrustRoot, load_private_key, open_trust
from infra.signing import manifest as layout
from infra.signing.attestations import ATTESTED, attestation_file
from infra.signing.dsse import statement
from infra.signing.signer import KeySigner, Signer
from infra.trust import Stage, read_policy

POLICY = REPOSITORY / "configs" / "trust.yaml"
PINNED = read_policy(POLICY).pinned
PASSED: dict[Stage, dict[str, object]] = {
    Stage.PROVENANCE: {},
    Stage.ENVIRONMENT: {},
    Stage.GATES: {"result": "PASSED"},
}


def trust_of(keys: KeyPair) -> TrustRoot:
    """The shipped policy, with this key as the installation's."""
    return open_trust(POLICY, keys.public)


def signer_of(keys: KeyPair) -> KeySigner:
    return KeySigner(load_private_key(keys.private))


def write_files(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def attest(release: Path, unit: str, root: str, signer: Signer, others: Mapping[Stage, Signer] = {}) -> None:
    """Attestations about this unit and adapter, and the summary of them and `adapter.sig`, into a release.

    `signer` signs what none of the `others` signs.
    """
    subjects = {"unit": unit, "adapter": root}
    bundles = {
        attestation_file(stage): others.get(stage, signer).sign(
            statement(subjects, ATTESTED[stage], predicate)
        )
        for stage, predicate in PASSED.items()
    }
    inputs = {name: digest_bytes(bundle) for name, bundle in bundles.items()}
    inputs[layout.ADAPTER_SIGNATURE] = digest_file(release / layout.ADAPTER_SIGNATURE)
    policy, now = digest_file(release / layout.TRUST), datetime(2026, 1, 1, tzinfo=UTC)
    summary = passed_summary(unit, policy=policy, inputs=inputs, time=now)
    name = attestation_file(Stage.VERIFICATION)
    bundles[name] = signer.sign(statement(subjects, ATTESTED[Stage.VERIFICATION], summary))
    write_files(release, bundles)
