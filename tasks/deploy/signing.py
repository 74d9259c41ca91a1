"""Sign a staged release: the adapter by model-signing, statements about it and the manifest by DSSE.

sign_adapter(staging / "adapter", staging / "adapter.sig", private_key)
check_with_reference(staging / "adapter", staging / "adapter.sig", public_key)
"""

from pathlib import Path
from typing import Any

from infra.digest import hex_of
from infra.errors import IntegrityError
from tasks.records import GateReport, Verdict

TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def sign_adapter(adapter: Path, signature: Path, private_key: Path) -> None:
    """An OMS v1 signature over the adapter's files; raises IntegrityError when it cannot be made."""
    from model_signing import signing

    try:
        # A fresh configuration for every call: the library's objects carry state from one model to the next.
        config: Any = signing.Config()  # type: ignore[no-untyped-call]  # the library has no annotation here
        config.use_elliptic_key_signer(private_key=private_key).sign(adapter, signature)
    except Exception as error:
        raise IntegrityError(f"adapter cannot be signed: {type(error).__name__}: {error}") from error


def check_with_reference(adapter: Path, signature: Path, public_key: Path) -> None:
    """Verify with the reference implementation, which shares no code with ours; raises IntegrityError."""
    from model_signing import verifying

    try:
        config: Any = verifying.Config()  # type: ignore[no-untyped-call]  # the library has no annotation here
        config.use_elliptic_key_verifier(public_key=public_key).verify(adapter, signature)
    except Exception as error:
        raise IntegrityError(f"{signature.name}: {type(error).__name__}: {error}") from error


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


def _resource(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": hex_of(digest)}}
