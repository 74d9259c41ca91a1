"""Calls to an S3 service: a client with bounded patience, and its errors as ours.

with explained("s3://bucket/key", refused=DataError, hint="check data.object"):
    s3_client(endpoint).get_object(Bucket="bucket", Key="key")

Credentials come from boto3's usual chain (environment, shared file, instance role); none are settings.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.errors import AssayError, ConfigError, Unavailable

# Codes of 4xx answers that say "later": of a slow sender, of two conditional writes at the same moment, of an
# upload that another process has finished or dropped.
_LATER = frozenset(
    {
        "ConditionalRequestConflict",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
    }
)


def s3_client(
    endpoint: str | None,
    *,
    region: str | None = None,
    ca_file: Path | None = None,
    addressing: str = "auto",
    tries: int = 5,
    connect_timeout_s: float = 10,
    read_timeout_s: float = 60,
    connections: int = 10,
) -> Any:
    """A client for one service; requests are retried with growing, random pauses of at most 20 seconds."""
    import boto3
    from botocore.config import Config

    style = "path" if addressing == "auto" and endpoint else addressing
    config = Config(
        connect_timeout=connect_timeout_s,
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": tries},
        max_pool_connections=connections,
        s3={"addressing_style": style},
        # We send and compare SHA-256 ourselves: test servers answer without a checksum, or with a wrong one,
        # and a checksum of a whole object fails a download that goes on in the middle.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    # A session of its own: the shared one keeps credentials that may have been exchanged since.
    return boto3.Session(region_name=region).client(
        "s3", endpoint_url=endpoint, config=config, verify=str(ca_file) if ca_file else None
    )


def status_and_code(error: Any) -> tuple[int, str]:
    """HTTP status and S3's code of a botocore ClientError; 0 and "" where it has none."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return status, str(error.response.get("Error", {}).get("Code", ""))


@contextlib.contextmanager
def explained(what: str, *, refused: type[AssayError], hint: str) -> Iterator[None]:
    """Turns boto3's errors into ours: `refused` for a service that says no, with `hint`.

    Raises ConfigError (no credentials, no region) and Unavailable (no answer, server error, cut off).
    """
    from botocore import exceptions as boto
    from urllib3.exceptions import HTTPError

    try:
        yield
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.NoRegionError) as error:
        raise ConfigError(
            f"{what}: {error}", hint="set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_DEFAULT_REGION"
        ) from error
    except boto.ClientError as error:
        status, code = status_and_code(error)
        # 501 is a feature that the service will not have tomorrow either.
        if (status >= 500 and status != 501) or status == 429 or code in _LATER:
            raise Unavailable(
                f"{what}: the service answered {status} {code}", hint="run again later"
            ) from error
        raise refused(f"{what}: the service answered {status} {code}", hint=hint) from error
    except boto.ParamValidationError as error:
        raise ConfigError(f"{what}: {error}") from error
    except (boto.BotoCoreError, HTTPError) as error:
        raise Unavailable(
            f"{what}: no whole answer: {error}", hint="check the network and run again"
        ) from error
