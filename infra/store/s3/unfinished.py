"""An upload in parts that is not finished: remembered on this machine, so that a killed one goes on.

upload = Unfinished(bucket, key, part=16 << 20, notes=cache / "uploads")
upload.resume() or upload.begin()
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra import atomic
from infra.digest import digest_json, hex_of
from infra.s3 import status_and_code
from infra.store.s3.bucket import Bucket


@dataclass(frozen=True)
class Sent:
    """A part that the service has."""

    size: int
    etag: str
    checksum: str | None

    def holds(self, data: bytes, checksum: str) -> bool:
        """Whether it is these bytes; by ETag (an MD5, or nothing of the kind) where no checksum is."""
        if self.size != len(data):
            return False
        if self.checksum is not None:
            return self.checksum == checksum
        return self.etag.strip('"') == hashlib.md5(data, usedforsecurity=False).hexdigest()


class Unfinished:
    """The upload of one key; two processes that go on with the same one send the same parts."""

    def __init__(self, bucket: Bucket, key: str, part: int, notes: Path) -> None:
        self.bucket, self.key, self.part = bucket, key, part
        self.id: str | None = None
        """As the service names it; None before `resume` found one or `begin` made one."""
        self._what = {
            "bucket": bucket.name,
            "endpoint": bucket.settings.endpoint,
            "key": key,
            "part": part,
            "kms_key": bucket.settings.kms_key,
        }
        self._note = notes / f"{hex_of(digest_json(self._what))}.json"

    def resume(self) -> dict[int, Sent] | None:
        """The parts of the upload that was remembered, or None when there is none to go on with."""
        from botocore.exceptions import ClientError

        try:
            remembered = json.loads(self._note.read_text(encoding="utf-8"))["upload"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        with self.bucket.explained(self.key):
            try:
                found = self._parts(str(remembered))
            except ClientError as error:
                if status_and_code(error)[0] >= 500:
                    raise
                return None  # finished by another process, dropped, or such a list is not offered
        self.id = str(remembered)
        return found

    def _parts(self, upload: str) -> dict[int, Sent]:
        pages = self.bucket.client.get_paginator("list_parts").paginate(
            Bucket=self.bucket.name, Key=self.key, UploadId=upload
        )
        return {
            int(each["PartNumber"]): Sent(int(each["Size"]), each["ETag"], each.get("ChecksumSHA256"))
            for page in pages
            for each in page.get("Parts", ())
        }

    def begin(self) -> None:
        """Start a new upload and remember it; raises ConfigError when it would not be encrypted as asked."""
        with self.bucket.explained(self.key):
            answer: dict[str, Any] = self.bucket.client.create_multipart_upload(
                Bucket=self.bucket.name, Key=self.key, ChecksumAlgorithm="SHA256", **self.bucket.encryption
            )
        self.id = str(answer["UploadId"])
        if not self.bucket.is_encrypted(answer):
            self.abort()
            raise self.bucket.not_encrypted(self.key)
        atomic.write_text(self._note, json.dumps({"upload": self.id, **self._what}) + "\n")

    def abort(self) -> None:
        """Drop the parts and forget the upload."""
        with self.bucket.explained(self.key):
            self.bucket.client.abort_multipart_upload(Bucket=self.bucket.name, Key=self.key, UploadId=self.id)
        self.forget()

    def forget(self) -> None:
        """It is finished, or dropped."""
        self._note.unlink(missing_ok=True)
