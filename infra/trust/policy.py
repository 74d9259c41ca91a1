"""The trust policy as a file says it: who may sign which stage, who must differ, what is revoked.

policy.digest                                          # what a release pins
policy.rule(Stage.GATES, installation=key_id)          # the rule that a signature has to meet
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from infra.config.section import Digest, Section
from infra.digest import canonical_json, digest_bytes
from infra.trust.rules import AllOf, AnyOf, Different, MaxAge, NotRevoked, Rule, SignedByIdentity, SignedByKey

if TYPE_CHECKING:
    from infra.signing.signer import SignerIdentity


class Stage(StrEnum):
    """What a signature is for; one that holds for one stage says nothing about another."""

    RELEASE = "release"
    """The release manifest."""
    WEIGHTS = "weights"
    """The adapter's OMS signature."""
    PROVENANCE = "provenance"
    """How the adapter was made (SLSA provenance v1)."""
    ENVIRONMENT = "environment"
    """Where it was made."""
    GATES = "gates"
    """What the gates said (in-toto test result v0.1)."""
    VERIFICATION = "verification"
    """What deploy verified before it released (SLSA verification summary v1)."""
    APPROVAL = "approval"
    """A person's decision, which comes after the release and lies beside it."""


Attested = Literal[Stage.PROVENANCE, Stage.ENVIRONMENT, Stage.GATES, Stage.VERIFICATION]


class TrustedKey(Section):
    """A key by its id; its PEM file is listed under `public_keys`."""

    key: Digest = Field(description="SHA-256 of the key's DER SubjectPublicKeyInfo")

    def rule(self) -> Rule:
        """The signer is this key."""
        return SignedByKey(self.key)


class TrustedIdentity(Section):
    """A person or workload, by what an OIDC issuer says in a Sigstore certificate."""

    identity: str = Field(min_length=1, description="subject alternative name of the certificate, exactly")
    issuer: str = Field(min_length=1, description="URL of the OIDC issuer, exactly")

    def rule(self) -> Rule:
        """The signer is this identity, by this issuer."""
        return SignedByIdentity(self.identity, self.issuer)


Installation = Literal["installation"]
TrustedSigner = Installation | TrustedKey | TrustedIdentity


class StagePolicy(Section):
    """Who may sign one stage."""

    signers: tuple[TrustedSigner, ...] = Field(
        min_length=1,
        description="any of: `installation` (the generated key of this installation), key, identity + issuer",
    )
    not_same_as: tuple[Stage, ...] = Field((), description="stages that somebody else must have signed")


class Stages(Section):
    """All stages; none has a default, so that nobody is trusted by omission."""

    release: StagePolicy
    weights: StagePolicy
    provenance: StagePolicy
    environment: StagePolicy
    gates: StagePolicy
    verification: StagePolicy
    approval: StagePolicy


class RevokedIdentity(Section):
    """An identity that is trusted no more."""

    identity: str = Field(min_length=1)
    issuer: str = Field("", description="empty: whatever the issuer")


class Revoked(Section):
    """What is refused before anything else is looked at."""

    keys: tuple[Digest, ...] = ()
    identities: tuple[RevokedIdentity, ...] = ()
    releases: tuple[Digest, ...] = Field(
        (), description="digest of a release, unit, base, adapter, dataset, prompt or policy in it"
    )


class TrustPolicy(Section):
    """Whom an installation trusts."""

    version: Literal[1]
    stages: Stages
    required: tuple[Attested, ...] = Field(description="attestations without which a release is refused")
    hashes: tuple[Literal["sha256", "blake3"], ...] = Field(
        ("sha256",), min_length=1, description="hashes that a signature over weights may use"
    )
    max_age_days: int | None = Field(None, ge=1, description="oldest release that may be served; null: any")
    public_keys: tuple[Path, ...] = Field(
        (), description="PEM files of the keys that stages name, relative to this file"
    )
    trusted_root: Path | None = Field(
        None, description="Sigstore client trust configuration for identities, relative to this file"
    )
    succeeds: tuple[Digest, ...] = Field(
        (), description="digests of earlier policies whose releases are still accepted, under today's rules"
    )
    revoked: Revoked = Revoked()

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        for stage in Stage:
            policy = self.of(stage)
            if stage in policy.not_same_as:
                raise ValueError(f"stages.{stage}: cannot differ from itself")
            if Stage.APPROVAL in policy.not_same_as:
                raise ValueError(f"stages.{stage}: an approval comes last; let it differ from {stage}")
            by_identity = any(isinstance(signer, TrustedIdentity) for signer in policy.signers)
            if by_identity and self.trusted_root is None:
                raise ValueError(f"stages.{stage}: identities need `trusted_root`")
        return self

    def of(self, stage: Stage) -> StagePolicy:
        """The policy of one stage."""
        policy: StagePolicy = getattr(self.stages, stage.value)
        return policy

    @property
    def pinned(self) -> bytes:
        """Canonical JSON of the rules that a release is made under.

        Without what must change later and still leave that release verifiable: revocations, predecessors,
        and where files lie.
        """
        changing = {"revoked", "succeeds", "public_keys", "trusted_root"}
        content: dict[str, Any] = self.model_dump(mode="json", exclude=changing)
        return canonical_json(content)

    @property
    def digest(self) -> str:
        """Digest of `pinned`."""
        return digest_bytes(self.pinned)

    def rule(self, stage: Stage, *, installation: str, retired: Iterable[str] = ()) -> Rule:
        """What a signature of this stage has to meet.

        `installation`: id of the key behind that word; `retired`: ids of the keys that were behind it before.
        """
        own: tuple[Rule, ...] = tuple(SignedByKey(key_id) for key_id in (installation, *retired))
        signers: list[Rule] = []
        for signer in self.of(stage).signers:
            signers += own if isinstance(signer, str) else (signer.rule(),)
        return AllOf((self.not_revoked, AnyOf(tuple(signers))))

    def separation(self, stage: Stage, signers: Mapping[Stage, "SignerIdentity"]) -> Rule:
        """The rule that this stage's signer is none of those who signed the stages it must differ from."""
        return Different({str(other): signers.get(other) for other in self.of(stage).not_same_as})

    @property
    def not_revoked(self) -> NotRevoked:
        """The rule that comes before all others."""
        return NotRevoked(
            frozenset(self.revoked.keys),
            frozenset((each.identity, each.issuer) for each in self.revoked.identities),
        )

    def age(self, now: datetime | None) -> MaxAge:
        """The rule about a release's age."""
        days = self.max_age_days
        return MaxAge(None if days is None else timedelta(days=days), now)
