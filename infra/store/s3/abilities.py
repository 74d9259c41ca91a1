"""What a bucket can do, seen by trying: services accept the headers of features that they do not have.

writes_are_conditional(bucket)       # False where a second writer would silently win
"""

import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from infra.errors import AssayError
from infra.s3 import status_and_code
from infra.store.s3.bucket import Bucket


@dataclass(frozen=True)
class Abilities:
    """What was seen."""

    conditional_writes: bool
    """A second `If-None-Match: *` and a wrong `If-Match` are both refused with 412."""
    encrypted: bool
    """A write confirms the encryption that the settings ask for, or none is asked for."""
    object_lock: bool
    drops_unfinished_uploads: bool
    """A lifecycle rule in force removes the parts of unfinished uploads below the prefix."""


def abilities(bucket: Bucket) -> Abilities:
    """Try everything now; raises ConfigError for a bucket that cannot be used at all, and Unavailable."""
    with _probe(bucket) as (key, answer):
        return Abilities(
            conditional_writes=_is_conditional(bucket, key),
            encrypted=bucket.is_encrypted(answer),
            object_lock=has_object_lock(bucket),
            drops_unfinished_uploads=any(_drops(rule, bucket.prefix) for rule in lifecycle_rules(bucket)),
        )


@lru_cache(maxsize=16)
def writes_are_conditional(bucket: Bucket) -> bool:
    """Whether the service refuses a second writer; tried once in a process, remembered when it answered."""
    with _probe(bucket) as (key, _):
        return _is_conditional(bucket, key)


@contextlib.contextmanager
def _probe(bucket: Bucket) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A new object under a name of its own and the answer to its write; removed afterwards."""
    key = f"{bucket.prefix}probe/{secrets.token_hex(16)}"
    with bucket.explained(key):
        answer = bucket.put(key, b"first")
    try:
        yield key, answer
    finally:
        with contextlib.suppress(AssayError):
            bucket.delete(key)


def _is_conditional(bucket: Bucket, key: str) -> bool:
    wrong = {"IfMatch": '"00000000000000000000000000000000"'}
    return _is_refused(bucket, key, {"IfNoneMatch": "*"}) and _is_refused(bucket, key, wrong)


def _is_refused(bucket: Bucket, key: str, condition: Mapping[str, str]) -> bool:
    """Whether an overwrite under a condition that does not hold gets a 412: not an error of another kind."""
    from botocore.exceptions import ClientError

    with bucket.explained(key):
        try:
            bucket.put(key, b"second", **condition)
        except ClientError as error:
            status, code = status_and_code(error)
            if status == 412:
                return True
            if status in (400, 501) and code in ("NotImplemented", "InvalidArgument", "InvalidRequest"):
                return False
            raise
    return False


def has_object_lock(bucket: Bucket) -> bool:
    """Whether the bucket was made with Object Lock."""
    from botocore.exceptions import ClientError

    with bucket.explained():
        try:
            answer = bucket.client.get_object_lock_configuration(Bucket=bucket.name)
        except ClientError as error:
            if _is_absent(error):
                return False
            raise
    return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")


def lifecycle_rules(bucket: Bucket) -> list[dict[str, Any]]:
    """The bucket's lifecycle rules; none where the service has no such thing."""
    from botocore.exceptions import ClientError

    with bucket.explained():
        try:
            answer = bucket.client.get_bucket_lifecycle_configuration(Bucket=bucket.name)
        except ClientError as error:
            if _is_absent(error):
                return []
            raise
    return list(answer.get("Rules", ()))


def _is_absent(error: Any) -> bool:
    """Whether an answer says that there is no such configuration, or no such feature."""
    status, code = status_and_code(error)
    return code != "NoSuchBucket" and (status in (404, 501) or code in ("InvalidRequest", "MethodNotAllowed"))


def _drops(rule: Mapping[str, Any], prefix: str) -> bool:
    own = rule.get("Filter", {}).get("Prefix", rule.get("Prefix", ""))
    return (
        rule.get("Status") == "Enabled"
        and "AbortIncompleteMultipartUpload" in rule
        and set(rule.get("Filter", {})) <= {"Prefix"}
        and prefix.startswith(own)
    )
