"""Services that keep secrets: AWS Secrets Manager and Prefect's Secret blocks, asked at the moment of use.

from_aws("team/pager#url")      # the field `url` of a secret that is a JSON object; without #… its text
from_prefect("pager")           # the block `secret/pager` of the Prefect server in force

Credentials and addresses come from each library's usual chain (environment, shared file, instance role).
"""

import json
from typing import Any

from infra.errors import ConfigError, Unavailable

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
    """The value of a Secret block; raises ConfigError for one that is absent or not text, Unavailable."""
    import httpx
    from prefect.blocks.system import Secret
    from prefect.exceptions import PrefectException

    try:
        block: Any = Secret.load(name, _sync=True)  # type: ignore[call-arg]  # of its decorator
        value = block.get()
    except ValueError as error:  # what Prefect raises for an unknown block; it holds the name alone
        raise ConfigError(
            f"secret prefect:{name} is not there", hint="create the block in Prefect"
        ) from error
    except (httpx.HTTPError, PrefectException, OSError, RuntimeError) as error:
        what = type(error).__name__
        raise Unavailable(f"secret prefect:{name}: Prefect does not answer ({what})", "assay up") from error
    if not isinstance(value, str):
        raise ConfigError(f"secret prefect:{name} is not text", hint="keep it as text")
    return value
