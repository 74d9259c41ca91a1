"""Names whose digest may change, moved by compare-and-set: of two writers, one is refused.

pointers = Pointers(bucket)                        # ConfigError where writes are not conditional
pointers.create("releases/triage/7", digest)       # Conflict when the name is taken by another
pointers.move("latest", old, new)                  # Conflict when it is not `old` any more

A reply may be lost after the write was done, and the repeated request is then refused because of our own
write. So what is refused is read back: what we wanted is success.
"""

import re
from typing import Any

from infra.digest import hex_of
from infra.errors import ConfigError, Conflict, IntegrityError
from infra.s3 import status_and_code
from infra.store.s3.abilities import writes_are_conditional
from infra.store.s3.bucket import Bucket

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*(?:/[a-z0-9][a-z0-9_.-]*)*")
_MOST_BYTES = 100


class Pointers:
    """Names below `pointers/`; raises ConfigError unless the service was seen to refuse a second writer."""

    def __init__(self, bucket: Bucket) -> None:
        if not writes_are_conditional(bucket):
            raise ConfigError(
                f"{bucket.uri}: the service overwrites in spite of If-None-Match or If-Match: a name that"
                " two writers move would silently lose one of them",
                hint="use a service that honours conditional writes (docs/store.md)",
            )
        self.bucket = bucket

    def read(self, name: str) -> str | None:
        """The digest that a name stands for, or None; raises IntegrityError when it holds anything else."""
        found = self._read(self.key(name))
        return None if found is None else found[0]

    def create(self, name: str, digest: str) -> None:
        """Let a new name stand for a digest; raises Conflict when it stands for another one."""
        self._write(name, digest, {"IfNoneMatch": "*"}, "is free")

    def move(self, name: str, expected: str, digest: str) -> None:
        """Let a name that stands for `expected` stand for `digest`; raises Conflict when it does not."""
        found = self._read(self.key(name))
        if found is None or found[0] != expected:
            raise _conflict(name, found[0] if found else None, expected)
        self._write(name, digest, {"IfMatch": found[1]}, expected)

    def key(self, name: str) -> str:
        """Where a pointer lies; raises ConfigError for a name of another form."""
        if not _NAME.fullmatch(name):
            raise ConfigError(f"pointer: got {name!r}, expected lower-case words between slashes")
        return f"{self.bucket.prefix}pointers/{name}"

    def _write(self, name: str, digest: str, condition: dict[str, str], expected: str) -> None:
        from botocore.exceptions import ClientError

        key, data = self.key(name), f"sha256:{hex_of(digest)}\n".encode()
        with self.bucket.explained(key):
            try:
                self.bucket.put(key, data, **condition)
                return
            except ClientError as error:
                if status_and_code(error)[0] not in (404, 412):  # 404: If-Match, and it is gone
                    raise
        found = self._read(key)
        if found is None or found[0] != digest:
            raise _conflict(name, found[0] if found else None, expected)

    def _read(self, key: str) -> tuple[str, str] | None:
        """Digest and ETag."""
        from botocore.exceptions import ClientError

        with self.bucket.explained(key):
            try:
                answer: dict[str, Any] = self.bucket.client.get_object(Bucket=self.bucket.name, Key=key)
            except ClientError as error:
                if status_and_code(error)[1] == "NoSuchKey":
                    return None
                raise
            data = answer["Body"].read(_MOST_BYTES)
        digest = data.decode("ascii", "replace").removesuffix("\n")
        try:
            hex_of(digest)
        except IntegrityError as error:
            raise IntegrityError(f"{self.bucket.uri}: {key} was altered: {error.message}") from None
        return digest, str(answer["ETag"])


def _conflict(name: str, got: str | None, expected: str) -> Conflict:
    return Conflict(
        f"pointer {name}: got {got or 'nothing'}, expected {expected}",
        hint="another writer was first: look at what it stands for now, and decide again",
    )
