"""Who may decide on releases, how each proves who they are, and how many have to agree.

policy = load_approvers(project.path(project.approvers))   # ConfigError names file, line and what was meant
policy.rule("production").quorum
"""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from infra.config.explain import explain, nearest
from infra.config.section import Name, SecretReference, Section
from infra.config.source import read_yaml
from infra.errors import ConfigError

Method = Literal["key", "keyless", "totp"]
Account = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S+$")]
_SCHEMA = "configs/schema/approvers.schema.json"


class KeylessIdentity(Section):
    """A person as an OIDC issuer knows them: both parts have to be in the certificate, exactly."""

    subject: str = Field(min_length=3, description="subject alternative name, mostly an e-mail address")
    issuer: str = Field(pattern=r"^https?://\S+$", description="URL of the OIDC issuer")


class Approver(Section):
    """A person; whoever is not listed (any more) decides nothing."""

    roles: tuple[Name, ...] = Field((), description="empty: decides only what others delegate")
    key: Path | None = Field(
        None, description="public key (PEM, EC P-256), relative to the project file: `assay approver add`"
    )
    totp: SecretReference | None = Field(
        None, description="reference (env:NAME or file:PATH) to the seed of one-time codes, on the server"
    )
    identity: KeylessIdentity | None = None
    accounts: tuple[Account, ...] = Field(
        (), description="names under which this person starts runs, besides the one here"
    )

    @model_validator(mode="after")
    def _can_prove(self) -> Self:
        if self.key is None and self.totp is None and self.identity is None:
            raise ValueError("an approver needs `key`, `identity` or `totp`: a name alone proves nothing")
        return self


class DecisionRule(Section):
    """What an approval takes; one rejection by anybody who may decide is enough, and final."""

    quorum: int = Field(1, ge=1, le=20, description="approvals by different people")
    roles: tuple[Name, ...] = Field(
        ("release-manager",), min_length=1, description="who decides has one of these"
    )
    one_of_each: tuple[Name, ...] = Field(
        (), description="separation of duty: an approval from each of these roles, each by another person"
    )
    four_eyes: bool = Field(
        True, description="who started the run or trained the adapter cannot approve; unknown: nobody can"
    )
    methods: tuple[Method, ...] = Field(
        ("key", "keyless", "totp"), min_length=1, description="ways of proof that count"
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if idle := sorted(set(self.one_of_each) - set(self.roles)):
            raise ValueError(f"one_of_each: {idle[0]!r} is not among the roles that decide")
        return self


class Delegation(Section):
    """Until then one person decides in place of another, with the other's roles; it is not passed on."""

    delegator: Name
    delegate: Name
    until: AwareDatetime = Field(description="with a time zone")


class ApproverPolicy(Section):
    """A file of approvers; nobody listed: where a person has to decide, nothing goes live."""

    approvers: dict[Name, Approver] = Field({}, description="people by name; nobody else decides")
    default: DecisionRule = Field(DecisionRule(), description="for every profile that has no rule of its own")
    rules: dict[Name, DecisionRule] = Field({}, description="by profile; replaces `default` as a whole")
    delegations: tuple[Delegation, ...] = ()

    @model_validator(mode="after")
    def _names_people(self) -> Self:
        for each in self.delegations:
            for name in (each.delegator, each.delegate):
                if name not in self.approvers:
                    raise ValueError(f"delegations: {name!r} is no approver")
            if each.delegator == each.delegate:
                raise ValueError(f"delegations: {each.delegate!r} cannot delegate to themselves")
        for what in ("key", "totp", "identity"):
            _check_apart(what, {name: getattr(each, what) for name, each in self.approvers.items()})
        return self

    def rule(self, profile: str) -> DecisionRule:
        """The rule that holds under a profile."""
        return self.rules.get(profile, self.default)


def load_approvers(file: Path, profiles: Collection[str] = ()) -> ApproverPolicy:
    """The policy in a YAML file; raises ConfigError, also for a rule of a profile that does not exist."""
    source = read_yaml(file)
    try:
        policy = ApproverPolicy.model_validate(source.values)
    except ValidationError as error:
        raise explain(error, source, ApproverPolicy, _SCHEMA) from error
    for name in policy.rules:
        if profiles and name not in profiles:  # misspelt, it would silently leave the default in force
            raise ConfigError(
                f"{source.where(('rules', name))}: no profile {name!r}", hint=nearest(name, sorted(profiles))
            )
    return policy


def approvers_schema() -> dict[str, Any]:
    """JSON Schema of a file of approvers."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ApproverPolicy.model_json_schema()}


def _check_apart(what: str, of: dict[str, object]) -> None:
    seen: dict[object, str] = {}
    for name, value in of.items():
        if value is not None and (other := seen.setdefault(value, name)) != name:
            raise ValueError(f"approvers: {other} and {name} have the same {what}: who would have decided?")
