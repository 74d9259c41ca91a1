"""Services that keep secrets: AWS Secrets Manager and Prefect's Secret blocks, asked at the moment of use.

from_aws("team/pager#url")      # the field `url` of a secret that is a JSON object; without #… its text
from_prefect("pager")           # the block `secret/pager` of the Prefect server in force

Credentials and addresses come from each library's usual chain (environment, shared file, instance role).
"""

import base64
import json
import os
from typing import Any
from urllib.parse import quote

from infra.errors import ConfigError, Unavailable

_PREFECT_S = 10.0
_ABSENT = frozenset({"ResourceNotFoundException", "InvalidRequestException", "InvalidParameterException"})
_DENIED = frozenset(
    {"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "DecryptionFailure"}
)


def from_aws(name: str) -> str:
    """The present version of a secret in AWS Secrets Manager.

    Raises ConfigError for one that is absent, denied, binary or without the field; Unavailable when the
    service does not answer. No message repeats any part of a value.
    """
    secret, _, field = name.partition("#")
    found = _aws_value(secret)
    if "SecretString" not in found:
        raise ConfigError(f"secret aws:{secret} is binary", hint="keep it as text")
    text = str(found["SecretString"])
    return _field(text, f"aws:{secret}", field) if field else text


def _aws_value(secret: str) -> dict[str, Any]:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "max_attempts": 3})
    try:
        # A session of its own: boto3's default one keeps the credentials that it found first.
        client = boto3.Session().client("secretsmanager", config=config)
        return dict(client.get_secret_value(SecretId=secret))
    except (NoCredentialsError, NoRegionError) as error:
        raise ConfigError(
            f"secret aws:{secret}: {error}",
            hint="set AWS_DEFAULT_REGION and credentials, or give the machine a role",
        ) from error
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if code in _ABSENT:
            raise ConfigError(f"secret aws:{secret} is not there ({code})", hint="check its name") from error
        if code in _DENIED:
            raise ConfigError(
                f"secret aws:{secret} may not be read ({code})", hint="allow secretsmanager:GetSecretValue"
            ) from error
        raise Unavailable(f"secret aws:{secret}: the service answers {code}", hint="run again") from error
    except BotoCoreError as error:
        # Its text names addresses and time-outs, never what was read.
        raise Unavailable(f"secret aws:{secret}: {error}", hint="run again") from error


def _field(text: str, name: str, field: str) -> str:
    try:
        value = json.loads(text)[field]
    except (ValueError, TypeError, LookupError):  # their texts would repeat the secret
        raise ConfigError(f"secret {name} has no field {field!r}", hint="is it a JSON object?") from None
    if not isinstance(value, str):
        raise ConfigError(f"secret {name}: field {field!r} is not text")
    return value


def from_prefect(name: str) -> str:
    """The value of a Secret block of the server at PREFECT_API_URL; over HTTP, because its client is heavy.

    Raises ConfigError for a block that is absent, denied or not text, Unavailable when Prefect does not
    answer.
    """
    import httpx

    if not (server := os.environ.get("PREFECT_API_URL", "")):
        raise ConfigError(f"secret prefect:{name}: PREFECT_API_URL is not set", hint="name the server's API")
    url = f"{server.rstrip('/')}/block_types/slug/secret/block_documents/name/{quote(name, safe='')}"
    try:
        answer = httpx.get(
            url, params={"include_secrets": "true"}, headers=_prefect_login(), timeout=_PREFECT_S
        )
    except httpx.HTTPError as error:
        what = type(error).__name__
        raise Unavailable(f"secret prefect:{name}: Prefect does not answer ({what})", "assay up") from error
    if answer.status_code == 404:
        raise ConfigError(f"secret prefect:{name} is not there", hint="create a Secret block of that name")
    if answer.status_code in (401, 403):
        raise ConfigError(
            f"secret prefect:{name} may not be read", hint="set PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
        )
    try:
        answer.raise_for_status()
        value = answer.json()["data"]["value"]
    except (httpx.HTTPStatusError, ValueError, TypeError, LookupError):  # their texts may repeat the secret
        raise Unavailable(
            f"secret prefect:{name}: Prefect answers {answer.status_code}", "run again"
        ) from None
    if not isinstance(value, str):
        raise ConfigError(f"secret prefect:{name} is not text", hint="keep it as text")
    return value


def _prefect_login() -> dict[str, str]:
    """What Prefect's own client sends: basic authentication of a server, or a key of Prefect Cloud."""
    if login := os.environ.get("PREFECT_API_AUTH_STRING", ""):
        return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}
    key = os.environ.get("PREFECT_API_KEY", "")
    return {"Authorization": f"Bearer {key}"} if key else {}
