"""A trust policy from its file: strictly, since everything else rests on it."""

from pathlib import Path

from pydantic import ValidationError

from infra.config.source import read_yaml
from infra.errors import ConfigError
from infra.trust.policy import TrustPolicy


def read_policy(file: Path) -> TrustPolicy:
    """The policy in a YAML file; raises ConfigError naming file and line."""
    source = read_yaml(file)
    try:
        return TrustPolicy.model_validate(source.values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = tuple(first["loc"])
        name = ".".join(map(str, location)) or "policy"
        raise ConfigError(
            f"{source.where(location)}: {name}: {first['msg']}", hint="see configs/schema/trust.schema.json"
        ) from error
