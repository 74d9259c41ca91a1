"""Rules about who signed: small values with one verb, `verify`, that raises "got X, expected Y".

AllOf((NotRevoked(keys), AnyOf((SignedByKey(key_id), SignedByIdentity(san, issuer))))).verify(signed)

The shape follows `sigstore.verify.policy`; ours speak of keys and certificates alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from infra.refusal import Reason, VerificationError

if TYPE_CHECKING:
    from infra.signing.signer import SignerIdentity


@dataclass(frozen=True)
class Signed:
    """What is known about a signature that fits its content."""

    name: str
    """File that was signed, for messages."""
    signer: "SignerIdentity"
    created: datetime | None = None
    """When the signed content says that it was made; None when it does not say."""


class Rule(Protocol):
    """A condition on a signature."""

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError when the condition does not hold."""

    def __str__(self) -> str:
        """What is expected, for messages."""


@dataclass(frozen=True)
class SignedByKey:
    """The signer is this key."""

    key_id: str

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError for another key, and for any certificate."""
        if (signed.signer.subject, signed.signer.issuer) != (self.key_id, ""):
            raise _untrusted(signed, str(self))

    def __str__(self) -> str:
        return self.key_id


@dataclass(frozen=True)
class SignedByIdentity:
    """The signer is exactly this identity, vouched for by exactly this issuer."""

    identity: str
    issuer: str

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError for another identity or issuer, and for any key."""
        if not self.issuer or (signed.signer.subject, signed.signer.issuer) != (self.identity, self.issuer):
            raise _untrusted(signed, str(self))

    def __str__(self) -> str:
        return f"{self.identity} by {self.issuer}"


@dataclass(frozen=True)
class AnyOf:
    """At least one of these holds; of no rule at all, none does."""

    rules: tuple[Rule, ...]

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError when none holds."""
        for rule in self.rules:
            try:
                return rule.verify(signed)
            except VerificationError:
                continue
        raise _untrusted(signed, str(self))

    def __str__(self) -> str:
        return " or ".join(map(str, self.rules)) or "nobody"


@dataclass(frozen=True)
class AllOf:
    """Each of these holds; no rule at all is refused, because it would let everybody in."""

    rules: tuple[Rule, ...]

    def verify(self, signed: Signed) -> None:
        """Raises the VerificationError of the first rule that does not hold."""
        if not self.rules:
            raise _untrusted(signed, "a rule")
        for rule in self.rules:
            rule.verify(signed)

    def __str__(self) -> str:
        return " and ".join(map(str, self.rules))


@dataclass(frozen=True)
class NotRevoked:
    """The signer is none of these keys and identities, whatever else it may be."""

    keys: frozenset[str] = frozenset()
    identities: frozenset[tuple[str, str]] = frozenset()
    """`(identity, issuer)`; an empty issuer stands for all of them."""

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError for a revoked signer."""
        subject, issuer = signed.signer.subject, signed.signer.issuer
        listed = self.identities & {(subject, issuer), (subject, "")} if issuer else self.keys & {subject}
        if listed:
            raise VerificationError(
                Reason.SIGNER_REVOKED,
                f"{signed.name}: got signer {signed.signer}, which is revoked",
                hint="package and sign again with a signer that is in force",
            )

    def __str__(self) -> str:
        return "not revoked"


@dataclass(frozen=True)
class Different:
    """The signer is none of those who signed other stages."""

    others: Mapping[str, "SignerIdentity | None"] = field(default_factory=dict)
    """By stage; None where nobody is known to have signed."""

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError naming the stage that the same signer signed, or that nobody did."""
        for stage, other in sorted(self.others.items()):
            if other is None:
                raise VerificationError(
                    Reason.ATTESTATION_MISSING,
                    f"{signed.name}: nobody signed {stage}, expected somebody else than {signed.signer}",
                )
            if other == signed.signer:
                raise VerificationError(
                    Reason.SAME_SIGNER,
                    f"{signed.name}: got signer {signed.signer}, who also signed {stage}, expected another",
                    hint="the trust policy keeps these two apart",
                )

    def __str__(self) -> str:
        return "different from who signed " + " and ".join(sorted(self.others))


@dataclass(frozen=True)
class MaxAge:
    """What was signed was made neither longer ago than this, nor in the future."""

    longest: timedelta | None = None
    """None: any age."""
    now: datetime | None = None
    skew: timedelta = timedelta(minutes=5)
    """How far clocks may differ."""

    def verify(self, signed: Signed) -> None:
        """Raises VerificationError for what is too old, from the future, or of unknown age."""
        now = self.now or datetime.now(UTC)
        if signed.created is None:
            raise VerificationError(Reason.TOO_OLD, f"{signed.name}: got no time, expected {self}")
        if signed.created > now + self.skew:
            raise VerificationError(
                Reason.NOT_YET_VALID,
                f"{signed.name}: got time {signed.created.isoformat()}, expected at most {now.isoformat()}",
                hint="check the clock of this machine",
            )
        if self.longest is not None and now - signed.created > self.longest:
            raise VerificationError(
                Reason.TOO_OLD,
                f"{signed.name}: got time {signed.created.isoformat()}, expected {self}",
                hint="run the lifecycle for a fresh one",
            )

    def __str__(self) -> str:
        return f"at most {self.longest.days} days ago" if self.longest else "not in the future"


def _untrusted(signed: Signed, expected: str) -> VerificationError:
    return VerificationError(
        Reason.SIGNER_UNTRUSTED,
        f"{signed.name}: got signer {signed.signer}, expected {expected}",
        hint="configs/trust.yaml says who may sign what",
    )
