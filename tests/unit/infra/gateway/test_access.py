"""What the access policy does not list is denied."""

from pathlib import Path

import pytest

from infra.errors import ConfigError
from infra.gateway.access import AccessPolicy

SHIPPED = (Path(__file__).parents[4] / "configs" / "access.yaml").read_bytes()
LIMITS = "{models: [own], max_tokens: 8, requests_per_minute: 60}"


def test_shipped_policy_grants_its_own_project() -> None:
    policy = AccessPolicy.from_yaml(SHIPPED)
    for role in ("client", "staged", "admin"):
        assert policy.grant(role, "triage") is not None
    assert policy.grant("somebody", "triage") is None
    assert policy.digest.startswith("sha256:")


def test_only_listed_roles_and_models() -> None:
    policy = AccessPolicy.from_yaml(
        f"version: 1\nroles: {{admin: {LIMITS.replace('own', 'weakness')}}}".encode()
    )
    assert policy.grant("client", "weakness") is None
    assert policy.grant("admin", "triage") is None
    limits = policy.grant("admin", "weakness")
    assert limits is not None
    assert (limits.max_tokens, limits.requests_per_minute) == (8, 60)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "version: 1",
        "version: 1\nroles: {}",
        f"version: 2\nroles: {{client: {LIMITS}}}",
        f"version: 1\nroles: {{root: {LIMITS}}}",
        f"version: 1\nroles: {{client: {LIMITS}}}\nmore: 1",
        "version: 1\nroles: {client: {models: [], max_tokens: 8, requests_per_minute: 60}}",
        "version: 1\nroles: {client: {models: ['*'], max_tokens: 8, requests_per_minute: 60}}",
        "version: 1\nroles: {client: {models: [own], max_tokens: 0, requests_per_minute: 60}}",
        "version: 1\nroles: {client: {models: [own], max_tokens: '8', requests_per_minute: 60}}",
        "version: 1\nroles: {client: {models: [own], max_tokens: 8}}",
        "roles: [",
    ],
)
def test_wrong_policy_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="access policy"):
        AccessPolicy.from_yaml(text.encode())
