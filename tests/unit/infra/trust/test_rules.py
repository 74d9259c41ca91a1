"""Rules about signers: each refuses what it is there to refuse, alone and together."""

from datetime import UTC, datetime, timedelta

import pytest

from infra.refusal import Reason, VerificationError
from infra.signing.signer import SignerIdentity
from infra.trust import (
    AllOf,
    AnyOf,
    Different,
    MaxAge,
    NotRevoked,
    Rule,
    Signed,
    SignedByIdentity,
    SignedByKey,
)

KEY, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
ISSUER = "https://issuer.example"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def by_key(key: str = KEY) -> Signed:
    return Signed("x.sig", SignerIdentity(key))


def by_identity(identity: str = "ada@example.org", issuer: str = ISSUER) -> Signed:
    return Signed("x.sig", SignerIdentity(identity, issuer))


def made(created: datetime | None) -> Signed:
    return Signed("x.sig", SignerIdentity(KEY), created)


ADA = SignedByIdentity("ada@example.org", ISSUER)
REVOKED = NotRevoked(frozenset({OTHER}), frozenset({("ada@example.org", ISSUER), ("eve@example.org", "")}))

REFUSED: tuple[tuple[Rule, Signed, Reason], ...] = (
    (SignedByKey(KEY), by_key(OTHER), Reason.SIGNER_UNTRUSTED),
    (SignedByKey(KEY), by_identity(), Reason.SIGNER_UNTRUSTED),
    # A certificate may carry any text as its identity, also one that looks like a key's id.
    (SignedByKey(KEY), by_identity(KEY), Reason.SIGNER_UNTRUSTED),
    (SignedByKey(""), by_identity(""), Reason.SIGNER_UNTRUSTED),
    (ADA, by_identity("ada@example.org.evil"), Reason.SIGNER_UNTRUSTED),
    (ADA, by_identity(issuer="https://issuer.example/"), Reason.SIGNER_UNTRUSTED),
    (ADA, by_key(), Reason.SIGNER_UNTRUSTED),
    (SignedByIdentity(KEY, ""), by_key(), Reason.SIGNER_UNTRUSTED),
    (AnyOf(()), by_key(), Reason.SIGNER_UNTRUSTED),
    (AnyOf((SignedByKey(OTHER), ADA)), by_key(), Reason.SIGNER_UNTRUSTED),
    (AllOf(()), by_key(), Reason.SIGNER_UNTRUSTED),
    (AllOf((SignedByKey(KEY), ADA)), by_key(), Reason.SIGNER_UNTRUSTED),
    (AllOf((REVOKED, SignedByKey(OTHER))), by_key(OTHER), Reason.SIGNER_REVOKED),
    (REVOKED, by_identity(), Reason.SIGNER_REVOKED),
    (REVOKED, by_identity("eve@example.org", "https://any.example"), Reason.SIGNER_REVOKED),
    (Different({"gates": SignerIdentity(KEY)}), by_key(), Reason.SAME_SIGNER),
    (Different({"gates": None}), by_key(), Reason.ATTESTATION_MISSING),
    (MaxAge(timedelta(days=30), NOW), made(None), Reason.TOO_OLD),
    (MaxAge(timedelta(days=30), NOW), made(NOW - timedelta(days=31)), Reason.TOO_OLD),
    (MaxAge(timedelta(days=30), NOW), made(NOW + timedelta(minutes=6)), Reason.NOT_YET_VALID),
    (MaxAge(None, NOW), made(NOW + timedelta(days=1)), Reason.NOT_YET_VALID),
)
ACCEPTED: tuple[tuple[Rule, Signed], ...] = (
    (SignedByKey(KEY), by_key()),
    (ADA, by_identity()),
    (AnyOf((SignedByKey(OTHER), SignedByKey(KEY))), by_key()),
    (AllOf((REVOKED, SignedByKey(KEY))), by_key()),
    (REVOKED, by_identity(issuer="https://another.example")),
    # A revoked key's id as the text of an identity is another signer.
    (REVOKED, by_identity(OTHER)),
    (Different({}), by_key()),
    (Different({"gates": SignerIdentity(OTHER)}), by_key()),
    (MaxAge(timedelta(days=30), NOW), made(NOW - timedelta(days=30))),
    (MaxAge(None, NOW), made(NOW + timedelta(minutes=4))),
)


@pytest.mark.parametrize(("rule", "signed", "reason"), REFUSED)
def test_a_rule_refuses(rule: Rule, signed: Signed, reason: Reason) -> None:
    with pytest.raises(VerificationError, match=r"^x\.sig: ") as refused:
        rule.verify(signed)
    assert refused.value.reason == reason


@pytest.mark.parametrize(("rule", "signed"), ACCEPTED)
def test_a_rule_accepts(rule: Rule, signed: Signed) -> None:
    rule.verify(signed)


def test_a_refusal_says_what_it_got_and_what_it_expected() -> None:
    with pytest.raises(VerificationError) as refused:
        AnyOf((SignedByKey(OTHER), ADA)).verify(by_key())
    assert (
        refused.value.message == f"x.sig: got signer {KEY}, expected {OTHER} or ada@example.org by {ISSUER}"
    )
