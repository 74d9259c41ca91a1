"""One object of an S3 service into a file, with a digest of our own: servers do not verify for us.

digest = fetch_object("s3://bucket/rows.jsonl", Path("rows.jsonl"), max_bytes=2 << 30)

Credentials come from boto3's usual chain (environment, shared file, instance role); none are settings.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from infra.digest import PREFIX
from infra.errors import ConfigError, DataError, Unavailable
from infra.s3 import explained, s3_client

_CHUNK = 1 << 20


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`; raises ConfigError for anything else."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket or not key:
        raise ConfigError(f"object: got {uri!r}, expected s3://bucket/key")
    return bucket, key


def fetch_object(uri: str, target: Path, *, max_bytes: int, endpoint: str | None = None) -> str:
    """Write the object's bytes to the new file `target`; returns their digest.

    Raises ConfigError (no credentials), DataError (absent, forbidden, larger than `max_bytes`) and
    Unavailable (no answer, server error, cut off in the middle).
    """
    bucket, key = split_uri(uri)
    hasher, count = hashlib.sha256(), 0
    what = f"{uri} at {endpoint}" if endpoint else uri
    with explained(what, refused=DataError, hint="check data.object, and that the credentials may read it"):
        found = s3_client(endpoint).get_object(Bucket=bucket, Key=key)
        announced = int(found["ContentLength"])
        _require_size(uri, announced, max_bytes)
        with target.open("xb") as out:
            for part in _parts(found["Body"]):
                count += len(part)
                _require_size(uri, count, max_bytes)
                hasher.update(part)
                out.write(part)
    if count != announced:
        raise Unavailable(f"{uri}: got {count} bytes, expected {announced}: the answer was cut off")
    return PREFIX + hasher.hexdigest()


def _parts(body: Any) -> Iterator[bytes]:
    while part := body.read(_CHUNK):
        yield part


def _require_size(uri: str, count: int, most: int) -> None:
    if count > most:
        raise DataError(
            f"{uri}: got {count} bytes or more, expected at most {most}",
            hint="raise data.max_object_bytes if the object is meant to be that large",
        )
