"""What a release attests about itself: which file, of which type, and what it has to say.

ATTESTED[Stage.GATES]                     # the predicate type
attestation_file(Stage.GATES)             # attestations/gates.sigstore.json
check_attestation(Stage.GATES, content, manifest, root, "attestations/gates.sigstore.json")
"""

from collections.abc import Mapping
from typing import Any

from infra.digest import hex_of
from infra.refusal import Reason, VerificationError
from infra.signing import manifest as layout
from infra.signing.dsse import subjects_of
from infra.signing.manifest import ReleaseManifest
from infra.trust import Stage

PROVENANCE_TYPE = "https://slsa.dev/provenance/v1"
ENVIRONMENT_TYPE = "urn:assay:environment:v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
SUMMARY_TYPE = "https://slsa.dev/verification_summary/v1"
ATTESTED: Mapping[Stage, str] = {
    Stage.PROVENANCE: PROVENANCE_TYPE,
    Stage.ENVIRONMENT: ENVIRONMENT_TYPE,
    Stage.GATES: TEST_RESULT_TYPE,
    Stage.VERIFICATION: SUMMARY_TYPE,
}
"""The stages that lie under `attestations/`, with the predicate that each must have."""
_SUFFIX = ".sigstore.json"
_SAYS = {Stage.GATES: "result", Stage.VERIFICATION: "verificationResult"}


def attestation_file(stage: Stage) -> str:
    """Name of a stage's attestation in a release."""
    return f"{layout.ATTESTATIONS}{stage}{_SUFFIX}"


def stage_of(name: str) -> Stage:
    """The stage whose attestation has this file name; raises VerificationError for any other name."""
    for stage in ATTESTED:
        if name == attestation_file(stage):
            return stage
    raise VerificationError(Reason.WRONG_STAGE, f"{name}: no stage has an attestation of that name")


def check_attestation(
    stage: Stage, content: Mapping[str, Any], manifest: ReleaseManifest, root: str, name: str
) -> None:
    """Raises VerificationError unless a signed statement is this stage's, about this unit, and a pass.

    `root` is the OMS root of the adapter's files.
    """
    if (got := content.get("predicateType")) != ATTESTED[stage]:
        raise VerificationError(
            Reason.WRONG_STAGE, f"{name}: got predicate {got!r}, expected {ATTESTED[stage]!r}"
        )
    _check_subjects(subjects_of(content, name), manifest, root, name)
    predicate = content.get("predicate")
    if not isinstance(predicate, dict):
        raise VerificationError(Reason.MALFORMED, f"{name}: malformed predicate")
    said = predicate.get(_SAYS.get(stage, ""))
    if stage in _SAYS and said != "PASSED":
        raise VerificationError(Reason.VERDICT_REFUSED, f"{name}: got {said!r}, expected 'PASSED'")
    if stage == Stage.VERIFICATION:
        _check_summary(predicate, manifest, name)


def _check_subjects(got: Mapping[str, str], manifest: ReleaseManifest, root: str, name: str) -> None:
    """About this unit and adapter; it may name the adapter's tree and files too, and nothing else."""
    unit = {"unit": manifest.unit, "adapter": root}
    parts = {"adapter-tree": manifest.adapter} | {
        file: digest for file, digest in manifest.files.items() if file.startswith(layout.ADAPTER)
    }
    if any(got.get(subject) != digest for subject, digest in unit.items()) or any(
        (unit | parts).get(subject) != digest for subject, digest in got.items()
    ):
        raise VerificationError(Reason.ATTESTATION_FOREIGN, f"{name}: speaks of another unit or adapter")


def _check_summary(predicate: Mapping[str, Any], manifest: ReleaseManifest, name: str) -> None:
    """It was made under the policy that the release pins, from the statements that the release holds."""
    policy, inputs = predicate.get("policy"), predicate.get("inputAttestations")
    if not isinstance(policy, dict) or policy.get("digest") != {"sha256": hex_of(manifest.trust)}:
        raise VerificationError(Reason.POLICY_MISMATCH, f"{name}: got policy {policy!r}")
    expected = [
        {"uri": file, "digest": {"sha256": hex_of(manifest.files[file])}}
        for file in sorted(manifest.files)
        if file != name and (file.startswith(layout.ATTESTATIONS) or file == layout.ADAPTER_SIGNATURE)
    ]
    if inputs != expected:
        raise VerificationError(
            Reason.ATTESTATION_FOREIGN, f"{name}: was not made from the statements of this release"
        )
