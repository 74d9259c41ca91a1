"""Bytes into a bucket under their digest: whole or absent, never a part, never twice.

upload_bytes(bucket, key, data)
upload_file(bucket, key, path, digest, notes=cache / "uploads")

An object appears when its last request is accepted. A larger file goes in parts; when the service fails in
between, or this process is killed, its parts wait and the next upload from here goes on behind them.
"""

import base64
import contextlib
import hashlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from infra.digest import PREFIX, digest_bytes
from infra.errors import AssayError, IntegrityError, Unavailable
from infra.s3 import status_and_code
from infra.store.s3.bucket import Bucket
from infra.store.s3.unfinished import Sent, Unfinished

_MIB = 1 << 20
_MOST_PARTS = 10_000
"""S3's limit."""


def upload_bytes(bucket: Bucket, key: str, data: bytes) -> None:
    """Store bytes in one request, or do nothing when they are there already.

    Raises IntegrityError when other bytes lie under the key, ConfigError (refused, not encrypted as asked)
    and Unavailable.
    """
    digest = digest_bytes(data)
    if bucket.holds(key, len(data), digest):
        return
    with bucket.explained(key):
        answer = bucket.put(key, data)
    if not bucket.is_encrypted(answer):
        bucket.delete(key)
        raise bucket.not_encrypted(key)


def upload_file(bucket: Bucket, key: str, path: Path, digest: str, *, notes: Path) -> None:
    """Store a file whose digest is known; as `upload_bytes`, IntegrityError also when it changed.

    `notes` is the directory in which unfinished uploads are remembered.
    """
    size, part = path.stat().st_size, part_bytes(path.stat().st_size, bucket.settings.part_mib)
    if size <= part:
        data = path.read_bytes()
        if digest_bytes(data) != digest:
            raise _changed(path)
        upload_bytes(bucket, key, data)
    elif not bucket.holds(key, size, digest):
        _upload_parts(bucket, key, path, digest, Unfinished(bucket, key, part, notes))
        if not bucket.holds(key, size, digest):
            raise Unavailable(f"{bucket.uri}: {key} was stored and is not there", hint="run again")


def part_bytes(size: int, part_mib: int) -> int:
    """Bytes of each part but the last: as set, or as many whole MiB as 10,000 parts of a large file need."""
    return max(part_mib, -(-size // (_MOST_PARTS * _MIB))) * _MIB


def _upload_parts(bucket: Bucket, key: str, path: Path, digest: str, upload: Unfinished) -> None:
    known = upload.resume() or {}
    if upload.id is None:
        upload.begin()
    try:
        parts = _send(bucket, path, digest, upload, known)
        _complete(bucket, key, upload, parts)
    except Unavailable:
        raise  # the parts stay, and the note of them: the next attempt goes on behind them
    except BaseException:
        with contextlib.suppress(AssayError):  # the bucket's own rule drops what cannot be dropped now
            upload.abort()
        raise
    upload.forget()


def _send(
    bucket: Bucket, path: Path, digest: str, upload: Unfinished, known: dict[int, Sent]
) -> list[dict[str, Any]]:
    """Every part, some at a time and hashed in order; raises IntegrityError when it is not its digest."""
    hasher, parts = hashlib.sha256(), []
    waiting: deque[Future[dict[str, Any]]] = deque()
    with path.open("rb") as source, ThreadPoolExecutor(bucket.settings.parallel) as pool:
        try:
            for number, data in enumerate(_cut(source, upload.part), start=1):
                waiting.append(pool.submit(_send_part, bucket, upload, number, data, known.get(number)))
                hasher.update(data)
                if len(waiting) > bucket.settings.parallel:  # what waits lies in memory
                    parts.append(waiting.popleft().result())
            parts.extend(each.result() for each in waiting)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    if PREFIX + hasher.hexdigest() != digest:
        raise _changed(path)
    return parts


def _cut(source: BinaryIO, size: int) -> Iterator[bytes]:
    while data := source.read(size):
        yield data


def _send_part(
    bucket: Bucket, upload: Unfinished, number: int, data: bytes, sent: Sent | None
) -> dict[str, Any]:
    own = base64.b64encode(hashlib.sha256(data).digest()).decode()
    if sent is not None and sent.holds(data, own):
        return {"PartNumber": number, "ETag": sent.etag, "ChecksumSHA256": own}
    with bucket.explained(upload.key):
        answer = bucket.client.upload_part(
            Bucket=bucket.name,
            Key=upload.key,
            UploadId=upload.id,
            PartNumber=number,
            Body=data,
            ChecksumSHA256=own,
        )
    return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": own}


def _complete(bucket: Bucket, key: str, upload: Unfinished, parts: list[dict[str, Any]]) -> None:
    from botocore.exceptions import ClientError

    with bucket.explained(key):
        try:
            answer = bucket.client.complete_multipart_upload(
                Bucket=bucket.name, Key=key, UploadId=upload.id, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            # Our own reply was lost, or another process finished the same upload: the caller looks.
            if status_and_code(error)[1] == "NoSuchUpload" and bucket.look(key) is not None:
                return
            raise
    own = _composite(parts)
    got = answer.get("ChecksumSHA256")
    if got is not None and got.partition("-")[0] != own:
        bucket.delete(key)
        raise IntegrityError(f"{bucket.uri}: {key} arrived with SHA-256 {got}, expected {own}-{len(parts)}")


def _composite(parts: list[dict[str, Any]]) -> str:
    """S3's checksum of an upload in parts: SHA-256 over the SHA-256 of each."""
    digests = b"".join(base64.b64decode(each["ChecksumSHA256"]) for each in parts)
    return base64.b64encode(hashlib.sha256(digests).digest()).decode()


def _changed(path: Path) -> IntegrityError:
    return IntegrityError(f"{path} changed while it was stored", hint="nothing was stored; run again")
