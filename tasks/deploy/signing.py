"""Sign a staged release: the adapter as OMS, statements about it, and what deploy verified of them.

bundle = sign_adapter(adapter_dir, signer, "sha256")
bundles = sign_statements(subjects, report, origin, signer)
bundles |= sign_summary(subjects, {**bundles, "adapter.sig": bundle}, trust, signer, now)
"""

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.digest import digest_bytes, hex_of, tree_manifest, walk_tree
from infra.errors import DataError, IntegrityError
from infra.origin.slsa import check_statement
from infra.origin.vsa import check_summary, passed_summary
from infra.signing import TrustRoot
from infra.signing import manifest as layout
from infra.signing.attestations import ATTESTED, attestation_file, stage_of
from infra.signing.dsse import statement, subjects_of
from infra.signing.keys import public_pem
from infra.signing.oms import model_statement
from infra.signing.sealed import blake3_hex
from infra.signing.signer import Signer, SignerIdentity
from infra.trust import Stage
from tasks.deploy.origin import Origin
from tasks.records import GateReport, Verdict


def sign_adapter(adapter: Path, signer: Signer, hash_type: str) -> bytes:
    """An OMS v1 signature over the adapter's files."""
    if hash_type == "sha256":
        files = tree_manifest(adapter)
    else:
        files = {name: f"{hash_type}:{blake3_hex(adapter / name)}" for name in walk_tree(adapter)}
    return signer.sign(model_statement(adapter.name, files, hash_type))


def check_with_reference(adapter: Path, signature: Path, trust: TrustRoot, signer: SignerIdentity) -> None:
    """Verify a key's signature with the reference implementation, which shares no code with ours.

    Raises IntegrityError. A certificate was verified by sigstore already, which is the reference for it.
    """
    key = next((each for each in (*trust.own_keys, *trust.keys) if each.key_id == signer.subject), None)
    if key is None:
        return
    from model_signing import verifying

    with tempfile.TemporaryDirectory(prefix="assay-reference-") as scratch:
        public_key = Path(scratch, "signer.pub")
        public_key.write_bytes(public_pem(key.key))
        try:
            # A fresh configuration for every call: the library's objects carry state to the next model.
            config: Any = verifying.Config()  # type: ignore[no-untyped-call]  # the library has no annotation
            config.use_elliptic_key_verifier(public_key=public_key).verify(adapter, signature)
        except Exception as error:
            raise IntegrityError(f"{signature.name}: {type(error).__name__}: {error}") from error


def sign_statements(
    subjects: Mapping[str, str], report: GateReport, origin: Origin, signer: Signer
) -> dict[str, bytes]:
    """Bundles by file name: provenance, environment, gates. Raises DataError for one without valid form."""
    made_of = {**subjects, **subjects_of(origin.statement, "provenance statement")}
    statements = {
        Stage.PROVENANCE: statement(made_of, ATTESTED[Stage.PROVENANCE], origin.statement["predicate"]),
        Stage.ENVIRONMENT: statement(subjects, ATTESTED[Stage.ENVIRONMENT], origin.environment),
        Stage.GATES: statement(subjects, ATTESTED[Stage.GATES], gate_result(report)),
    }
    check_statement(statements[Stage.PROVENANCE])
    check_gate_result(statements[Stage.GATES]["predicate"])
    return {attestation_file(stage): signer.sign(content) for stage, content in statements.items()}


def sign_summary(
    subjects: Mapping[str, str],
    bundles: Mapping[str, bytes],
    trust: TrustRoot,
    signer: Signer,
    now: datetime,
) -> dict[str, bytes]:
    """Deploy's own verification of all these bundles, signed; raises IntegrityError when one is refused."""
    for name, bundle in bundles.items():
        stage = Stage.WEIGHTS if name == layout.ADAPTER_SIGNATURE else stage_of(name)
        trust.verify(bundle, stage, name)
    inputs = {name: digest_bytes(bundle) for name, bundle in bundles.items()}
    predicate = passed_summary(subjects["unit"], policy=trust.policy.digest, inputs=inputs, time=now)
    check_summary(predicate)
    content = statement(subjects, ATTESTED[Stage.VERIFICATION], predicate)
    return {attestation_file(Stage.VERIFICATION): signer.sign(content)}


def gate_result(report: GateReport) -> dict[str, Any]:
    """What the gates said: predicate of the in-toto test-result attestation v0.1."""
    configuration = [
        _resource("gate policy", report.policy),
        _resource("evidence", report.evidence),
        _resource("requirements", report.requirements),
    ]
    if report.champion is not None:
        configuration.append(_resource("champion", report.champion))
    names = {verdict: [r.gate for r in report.results if r.verdict == verdict] for verdict in Verdict}
    return {
        "result": "PASSED" if report.verdict == Verdict.PASS else "FAILED",
        "configuration": configuration,
        "passedTests": names[Verdict.PASS],
        "warnedTests": names[Verdict.INCONCLUSIVE],
        "failedTests": names[Verdict.FAIL],
    }


def check_gate_result(predicate: Mapping[str, Any]) -> None:
    """Raises DataError unless in-toto's own schema, which is closed, accepts the predicate."""
    from google.protobuf import json_format  # type: ignore[import-untyped]  # ships no types
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import (  # type: ignore[import-untyped]
        TestResult,
    )

    try:
        json_format.ParseDict(dict(predicate), TestResult())
    except json_format.ParseError as error:
        raise DataError(f"gate result is not a valid test result: {error}") from error


def _resource(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": hex_of(digest)}}
