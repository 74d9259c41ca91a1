"""A bucket made ready: there, with Object Lock when asked for, without heaps of unfinished parts.

prepare_bucket(bucket, create=True)     # lines that say what was done; a second time changes nothing
"""

from typing import Any

from infra.errors import ConfigError
from infra.s3 import status_and_code
from infra.store.s3.abilities import Abilities, abilities, lifecycle_rules
from infra.store.s3.bucket import Bucket


def prepare_bucket(bucket: Bucket, *, create: bool) -> list[str]:
    """Make the bucket when asked, set the rule, and try everything; raises ConfigError and Unavailable."""
    done = [_create(bucket)] if create and not _exists(bucket) else []
    return [*done, _set_rule(bucket), *describe(bucket, abilities(bucket))]


def describe(bucket: Bucket, seen: Abilities) -> list[str]:
    """What was seen of a bucket, a line each."""
    settings = bucket.settings
    conditional = "refused with 412" if seen.conditional_writes else "ACCEPTED: names cannot be moved safely"
    lock = "has it" if seen.object_lock else "does not have it"
    unfinished = "dropped by a rule" if seen.drops_unfinished_uploads else "STAY: assay store init-bucket"
    return [
        f"conditional writes: a second writer is {conditional}",
        f"encryption: {'as the settings ask' if seen.encrypted else 'NOT CONFIRMED under s3.kms_key'}",
        f"Object Lock: the bucket {lock}, the settings ask for {settings.lock_mode or 'none'}",
        f"parts of unfinished uploads: {unfinished}",
    ]


def problems(bucket: Bucket, seen: Abilities) -> list[str]:
    """What makes a bucket unfit for what the settings ask of it."""
    return [
        text
        for text, wrong in (
            ("it overwrites in spite of If-None-Match or If-Match", not seen.conditional_writes),
            ("it does not confirm encryption under s3.kms_key", not seen.encrypted),
            (
                f"s3.lock_mode is {bucket.settings.lock_mode}, and it has no Object Lock",
                bucket.settings.lock_mode is not None and not seen.object_lock,
            ),
        )
        if wrong
    ]


def _exists(bucket: Bucket) -> bool:
    from botocore.exceptions import ClientError

    with bucket.explained():
        try:
            bucket.client.head_bucket(Bucket=bucket.name)
        except ClientError as error:
            if status_and_code(error)[0] == 404:
                return False
            raise
    return True


def _create(bucket: Bucket) -> str:
    region = bucket.client.meta.region_name
    place: dict[str, Any] = (
        {} if region in (None, "us-east-1") else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    lock = bucket.settings.lock_mode is not None
    with bucket.explained():
        bucket.client.create_bucket(Bucket=bucket.name, ObjectLockEnabledForBucket=lock, **place)
    return f"created bucket {bucket.name}{' with Object Lock' if lock else ''}"


def _set_rule(bucket: Bucket) -> str:
    """Add our rule to those that are there: a request replaces all of them."""
    days = bucket.settings.incomplete_upload_days
    own = {
        "ID": f"assay-unfinished-uploads-{bucket.prefix.strip('/') or 'all'}"[:255],
        "Status": "Enabled",
        "Filter": {"Prefix": bucket.prefix},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
    }
    present = lifecycle_rules(bucket)
    if own in present:
        return f"unfinished uploads are dropped after {days} days already"
    others = [rule for rule in present if rule.get("ID") != own["ID"]]
    try:
        with bucket.explained():
            bucket.client.put_bucket_lifecycle_configuration(
                Bucket=bucket.name, LifecycleConfiguration={"Rules": [*others, own]}
            )
    except ConfigError as error:
        return f"no rule for unfinished uploads could be set: {error.message}"
    return f"unfinished uploads are dropped after {days} days"
