"""Bytes out of a bucket, verified by our own SHA-256 whatever the service says of them.

data = download_bytes(bucket, key, digest)
download_file(bucket, key, digest, target)      # goes on where an earlier, killed one stopped

A stream that is cut off goes on behind what has come, a bounded number of times. Bytes that are not what
was asked for are read once more, from the start: a flipped bit on the way heals, an altered object does not.
"""

import contextlib
import hashlib
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra import atomic
from infra.digest import PREFIX, digest_bytes
from infra.errors import IntegrityError, Unavailable
from infra.s3 import status_and_code
from infra.store.s3.bucket import Bucket

_CHUNK = 1 << 20
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 10.0


def download_bytes(bucket: Bucket, key: str, digest: str) -> bytes:
    """The bytes under a key; raises IntegrityError (absent, not these), ConfigError, Unavailable."""
    got = ""
    for _ in range(2):
        parts: list[bytes] = []
        stream(bucket, key, 0, parts.append)
        data = b"".join(parts)
        if (got := digest_bytes(data)) == digest:
            return data
    raise _altered(bucket, key, got, digest)


def download_file(bucket: Bucket, key: str, digest: str, target: Path) -> None:
    """Write the bytes under a key to `target`, which appears when they are whole, right and on the disk.

    What has come lies beside it as `<name>.part`, also after an error or a kill. Raises as `download_bytes`,
    Unavailable also when the disk refuses. One process at a time.
    """
    partial = target.with_name(target.name + ".part")
    with atomic.storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        got = ""
        for _ in range(2):
            got = _append(bucket, key, partial)
            if got == digest:
                partial.chmod(0o400)
                os.replace(partial, target)
                atomic.sync_directory(target.parent)
                return
            partial.unlink()
    raise _altered(bucket, key, got, digest)


def _append(bucket: Bucket, key: str, partial: Path) -> str:
    """The digest of the whole file, after what it lacks has been added to it."""
    hasher, present = hashlib.sha256(), 0
    with partial.open("a+b") as file:
        file.seek(0)
        while part := file.read(_CHUNK):
            hasher.update(part)
            present += len(part)

        def write(part: bytes) -> None:
            hasher.update(part)
            file.write(part)

        stream(bucket, key, present, write)
        file.flush()
        os.fsync(file.fileno())
    return PREFIX + hasher.hexdigest()


def stream(bucket: Bucket, key: str, start: int, write: Callable[[bytes], object]) -> None:
    """Pass on an object's bytes from `start` to its end, in order; goes on after a cut.

    Raises IntegrityError when there is no object, Unavailable when `s3.tries` answers were cut off. A
    request that gets no answer was tried as often by the client already, and is not repeated here.
    """
    reader, cut = _Reader(bucket, key, start, write), None
    for attempt in range(bucket.settings.tries):
        if attempt:
            longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2**attempt)
            time.sleep(random.uniform(longest / 2, longest))  # noqa: S311  # spreads attempts, hides nothing
        if (cut := reader.read()) is None:
            return
    raise Unavailable(f"{cut}; {bucket.settings.tries} answers were cut off", hint="run again: it goes on")


class _Reader:
    """One object from a position on; each `read` goes on where the last one was cut off."""

    def __init__(self, bucket: Bucket, key: str, start: int, write: Callable[[bytes], object]) -> None:
        self.bucket, self.key, self.at, self.write = bucket, key, start, write

    def read(self) -> str | None:
        """None when the end has come, or how the answer was cut off."""
        answer = self._ask()
        if answer is None:
            return None  # nothing lies behind this position: the digest will say whether it should
        with contextlib.closing(answer["Body"]) as body:
            skipped = 0 if "ContentRange" in answer else self.at  # a service may ignore ranges
            left = int(answer["ContentLength"])
            try:
                while part := self._next(body):
                    left -= len(part)
                    keep = part[skipped:] if skipped else part
                    skipped -= len(part) - len(keep)
                    self.write(keep)
                    self.at += len(keep)
            except Unavailable as error:
                return error.message
        return f"{self.bucket.uri}: {self.key} lacks {left} bytes" if left else None

    def _next(self, body: Any) -> bytes:
        with self.bucket.explained(self.key):
            return bytes(body.read(_CHUNK))

    def _ask(self) -> Any:
        from botocore.exceptions import ClientError

        wanted = {"Range": f"bytes={self.at}-"} if self.at else {}
        with self.bucket.explained(self.key):
            try:
                return self.bucket.client.get_object(Bucket=self.bucket.name, Key=self.key, **wanted)
            except ClientError as error:
                status, code = status_and_code(error)
                if status == 416:
                    return None
                if code == "NoSuchKey":
                    raise IntegrityError(
                        f"{self.bucket.uri}: no object {self.key}", hint="run `assay doctor`"
                    ) from None
                raise


def _altered(bucket: Bucket, key: str, got: str, digest: str) -> IntegrityError:
    return IntegrityError(
        f"{bucket.uri}: {key} was altered in the store: its bytes are {got}, expected {digest}",
        hint="find out who wrote there; then delete the object and store it again",
    )
