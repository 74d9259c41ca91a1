"""Archived releases that nobody can delete for a time: Object Lock on every object of a tree.

retain(bucket, keys, now)       # until when; ConfigError where the bucket has no Object Lock
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from infra.errors import ConfigError, IntegrityError
from infra.store.s3.abilities import has_object_lock
from infra.store.s3.bucket import Bucket


def retain(bucket: Bucket, keys: Iterable[str], now: datetime) -> datetime | None:
    """Lock the objects for `s3.lock_days` from `now` on; None when the settings ask for no lock.

    A longer lock stays. Raises ConfigError when the bucket has no Object Lock, IntegrityError for an object
    that is absent, or that the service does not confirm as locked.
    """
    settings = bucket.settings
    if settings.lock_mode is None:
        return None
    if not has_object_lock(bucket):
        raise ConfigError(
            f"{bucket.uri}: s3.lock_mode is {settings.lock_mode}, and the bucket has no Object Lock",
            hint="only a new bucket gets it: `assay store init-bucket --create`; or remove s3.lock_mode",
        )
    until = (now + timedelta(days=settings.lock_days)).replace(microsecond=0)
    for key in sorted(set(keys)):
        if not _is_locked(bucket, key, until):
            with bucket.explained(key):
                bucket.client.put_object_retention(
                    Bucket=bucket.name,
                    Key=key,
                    Retention={"Mode": settings.lock_mode.upper(), "RetainUntilDate": until},
                )
            if not _is_locked(bucket, key, until):
                raise IntegrityError(f"{bucket.uri}: {key} is not locked, in spite of the service's answer")
    return until


def _is_locked(bucket: Bucket, key: str, until: datetime) -> bool:
    found = bucket.look(key)
    if found is None:
        raise IntegrityError(f"{bucket.uri}: no object {key}", hint="run again")
    return found.locked_until is not None and found.locked_until >= until
