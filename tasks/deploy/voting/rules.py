"""The rules of one profile as they stand: approvers with their keys, quorum, roles, delegations, by digest.

rules = rules_of(project)
store_rules(store, rules) == rules.digest      # so that a decision can be proven long after they changed
"""

from typing import Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import AwareDatetime, Field

from infra.config.approvers import Approver, Method, load_approvers
from infra.config.load import profile_names
from infra.config.project import Project
from infra.digest import canonical_json, digest_bytes
from infra.errors import IntegrityError
from infra.signing.keys import PUBLIC_NAME, PublicKey, describe, load_public_key, public_pem
from infra.signing.rotation import own_keys
from infra.signing.signer import SignerIdentity
from infra.store import Store
from tasks.deploy.voting.refusal import DecisionRefused, Why
from tasks.records import Digest, Record


class Voter(Record):
    """An approver, everything included that is needed to check what they signed; no secret."""

    roles: tuple[str, ...] = ()
    public_key: str = Field("", description="PEM; empty: signs with no key")
    key_id: Digest | None = None
    subject: str = ""
    issuer: str = ""
    totp: bool = Field(False, description="whether the server knows a seed of one-time codes")
    accounts: tuple[str, ...] = Field(description="names under which this person starts runs")

    @property
    def methods(self) -> tuple[Method, ...]:
        """The ways in which this approver can prove a decision."""
        known: tuple[tuple[Method, bool], ...] = (
            ("key", bool(self.public_key)),
            ("keyless", bool(self.subject)),
            ("totp", self.totp),
        )
        return tuple(method for method, has in known if has)

    @property
    def identity(self) -> SignerIdentity:
        """What a keyless certificate has to say."""
        return SignerIdentity(self.subject, self.issuer)

    def key(self) -> PublicKey:
        """The approver's public key; raises IntegrityError when it is no EC P-256 key, or not this one."""
        return read_key(self.public_key, self.key_id)


class Delegated(Record):
    """One person in place of another, until then."""

    delegator: str
    delegate: str
    until: AwareDatetime


class Rules(Record):
    """What an approval takes under one profile."""

    profile: str
    policy: Literal["auto", "person"]
    timeout_s: int
    quorum: int
    roles: tuple[str, ...]
    one_of_each: tuple[str, ...]
    four_eyes: bool
    methods: tuple[Method, ...]
    voters: dict[str, Voter]
    delegations: tuple[Delegated, ...]

    @property
    def deciders(self) -> tuple[str, ...]:
        """Who may decide by a role of their own."""
        return tuple(sorted(name for name, each in self.voters.items() if set(each.roles) & set(self.roles)))

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        """What a decision names."""
        return digest_bytes(self.to_bytes())


def rules_of(project: Project) -> Rules:
    """The rules in force for a project under its profile.

    Raises ConfigError for a file that does not fit, IntegrityError for a key that cannot be read, that two
    approvers share, or that the installation itself signs with, now or before: it would approve its own
    releases.
    """
    policy = load_approvers(project.path(project.approvers), profile_names())
    rule = policy.rule(project.profile)
    voters = {name: _voter(project, name, each) for name, each in policy.approvers.items()}
    _check_apart(project, voters)
    return Rules(
        profile=project.profile,
        policy=project.approval.policy,
        timeout_s=project.approval.timeout_s,
        **rule.model_dump(),
        voters=voters,
        delegations=tuple(Delegated.model_validate(each.model_dump()) for each in policy.delegations),
    )


def rules_in_force(project: Project) -> Rules:
    """The rules for people's decisions; raises DecisionRefused where nobody is listed, with what to write."""
    rules = rules_of(project)
    if not rules.voters:
        raise _nobody_listed(project)
    return rules


def store_rules(store: Store, rules: Rules) -> str:
    """Keep the rules in the store; returns their digest."""
    return store.put_bytes(rules.to_bytes())


def read_rules(store: Store, digest: str) -> Rules:
    """The rules of an earlier decision; raises IntegrityError when they are gone or altered."""
    data = store.get_bytes(digest)
    try:
        rules = Rules.model_validate_json(data)
    except ValueError as error:
        raise IntegrityError(f"{digest} is no set of approval rules") from error
    if rules.to_bytes() != data:
        raise IntegrityError(f"{digest}: approval rules are not in canonical form")
    return rules


def read_key(pem: str, key_id: str | None) -> PublicKey:
    """A public key from its PEM text; raises IntegrityError unless it is EC P-256 and has this id."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except ValueError as error:
        raise IntegrityError("an approver's public key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise IntegrityError("an approver's public key is no EC P-256 key")
    found = describe(key)
    if found.key_id != key_id:
        raise IntegrityError(f"an approver's public key is {found.key_id}, expected {key_id}")
    return found


def _nobody_listed(project: Project) -> DecisionRefused:
    return DecisionRefused(
        Why.NOBODY_LISTED,
        f"profile {project.profile!r} needs a person's decision, and nobody may decide:"
        f" {project.path(project.approvers)} lists no approver",
        hint="run `assay approver add NAME`, then write there:\n"
        "approvers:\n"
        "  NAME:\n"
        "    roles: [release-manager]\n"
        "    key: PATH/TO/signing.pub        # printed by that command",
    )


def _voter(project: Project, name: str, approver: Approver) -> Voter:
    key = load_public_key(project.path(approver.key)) if approver.key is not None else None
    return Voter(
        roles=approver.roles,
        public_key=public_pem(key.key).decode() if key else "",
        key_id=key.key_id if key else None,
        subject=approver.identity.subject if approver.identity else "",
        issuer=approver.identity.issuer if approver.identity else "",
        totp=approver.totp is not None,
        accounts=tuple(dict.fromkeys((name, *approver.accounts))),
    )


def _check_apart(project: Project, voters: dict[str, Voter]) -> None:
    seen: dict[str, str] = {}
    own = project.home / "keys" / PUBLIC_NAME
    installation = {key.key_id for key in own_keys(own)} if own.exists() else set()
    for name, voter in voters.items():
        if voter.key_id is None:
            continue
        if (other := seen.setdefault(voter.key_id, name)) != name:
            raise IntegrityError(
                f"approvers: {other} and {name} have the same key", hint="one key each: assay approver add"
            )
        if voter.key_id in installation:
            raise IntegrityError(
                f"approvers: {name}'s key is the one that this installation signs releases with",
                hint=f"make one of their own: assay approver add {name} --key",
            )
