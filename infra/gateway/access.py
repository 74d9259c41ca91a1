"""Who may do what: roles with models and limits, default deny. A file of every release.

policy = AccessPolicy.from_yaml(data)
policy.grant("client", "triage")      # Limits, or None
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from infra.digest import digest_bytes
from infra.errors import ConfigError

OWN_MODEL = "own"
"""Stands for the project that the policy's release belongs to."""


class Limits(BaseModel):
    """What one key of a role may use."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    models: list[Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]] = Field(min_length=1)
    max_tokens: int = Field(ge=1, description="most tokens of an answer")
    requests_per_minute: int = Field(ge=1, le=1_000_000, description="for each key")


class _PolicyText(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1]
    roles: dict[Literal["client", "staged", "admin"], Limits] = Field(min_length=1)


@dataclass(frozen=True)
class AccessPolicy:
    """The roles of one release."""

    digest: str
    roles: dict[str, Limits]

    @classmethod
    def from_yaml(cls, data: bytes) -> "AccessPolicy":
        """Read a policy; raises ConfigError for an unknown key or role and for wrong types."""
        try:
            text = _PolicyText.model_validate(yaml.safe_load(data))
        except yaml.YAMLError as error:
            raise ConfigError(f"access policy: not YAML: {error}", hint="see configs/access.yaml") from error
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ConfigError(
                f"access policy: {where}: {first['msg']}", hint="see configs/access.yaml"
            ) from error
        return cls(digest_bytes(data), {str(role): limits for role, limits in text.roles.items()})

    def grant(self, role: str, project: str) -> Limits | None:
        """The limits under which a role may use the release of `project`; None: not at all."""
        limits = self.roles.get(role)
        if limits is None or not {OWN_MODEL, project} & set(limits.models):
            return None
        return limits
