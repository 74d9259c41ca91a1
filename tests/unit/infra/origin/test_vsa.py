"""Verification summaries: the form that the specification gives, and nothing beside it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError, IntegrityError
from infra.origin.vsa import check_summary, passed_summary

SOME = digest_bytes(b"some")


def summary() -> dict[str, Any]:
    return passed_summary(
        SOME, policy=SOME, inputs={"adapter.sig": SOME}, time=datetime(2026, 1, 1, tzinfo=UTC)
    )


ALTERATIONS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no verifier": lambda d: d.pop("verifier"),
    "a nameless verifier": lambda d: d.update(verifier={"id": ""}),
    "time without zone": lambda d: d.update(timeVerified="2026-01-01T00:00:00"),
    "no time": lambda d: d.update(timeVerified="yesterday"),
    "no resource": lambda d: d.pop("resourceUri"),
    "policy without digest": lambda d: d.update(policy={"uri": "trust.json"}),
    "digest of another kind": lambda d: d["policy"].update(digest={"sha1": "0" * 40}),
    "short digest": lambda d: d["policy"].update(digest={"sha256": "00"}),
    "no inputs": lambda d: d.update(inputAttestations=[]),
    "another result": lambda d: d.update(verificationResult="MAYBE"),
    "levels as text": lambda d: d.update(verifiedLevels="SLSA_BUILD_LEVEL_3"),
    "more fields": lambda d: d.update(more=1),
    "another version": lambda d: d.update(slsaVersion="2.0"),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_altered_summary_is_refused(name: str) -> None:
    document = summary()
    check_summary(document)
    ALTERATIONS[name](document)
    with pytest.raises(DataError, match=r"^verification summary: "):
        check_summary(document)


@pytest.mark.parametrize("document", [None, [], "x", {}])
def test_what_is_no_summary_is_refused(document: object) -> None:
    with pytest.raises(DataError):
        check_summary(document)


def test_inputs_are_named_by_digest() -> None:
    with pytest.raises(IntegrityError, match="not a digest"):
        passed_summary(SOME, policy="latest", inputs={"adapter.sig": SOME}, time=datetime.now(UTC))


def test_the_published_schema_accepts_all_but_the_levels() -> None:
    """In in-toto-attestation 0.9.3 `verifiedLevels` is one text; the specification has a list."""
    from google.protobuf import json_format
    from in_toto_attestation.predicates.vsa.v1.vsa_pb2 import VerificationSummary

    document = summary()
    levels = document.pop("verifiedLevels")
    parsed = json_format.ParseDict(document, VerificationSummary())
    assert parsed.verification_result == "PASSED"
    assert levels == ["SLSA_BUILD_LEVEL_1"]
