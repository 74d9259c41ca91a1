"""One bucket and prefix of an S3 service: keys, a client, what lies under a key.

bucket = open_bucket("s3://models/assay", settings)
bucket.look(bucket.object_key(digest))       # size and checksum, or None
"""

import base64
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from infra.config.store import S3Settings
from infra.digest import digest_bytes, hex_of
from infra.errors import ConfigError, IntegrityError
from infra.s3 import explained, s3_client, status_and_code

_URI = re.compile(r"s3://(?P<name>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<prefix>(?:/[A-Za-z0-9_=.-]+)*)/?")
_HINT = (
    "check `store:`, and that the credentials may s3:GetObject, s3:PutObject, s3:DeleteObject,"
    " s3:ListBucket, s3:AbortMultipartUpload and s3:ListMultipartUploadParts there, and use s3.kms_key if set"
)


@dataclass(frozen=True)
class Present:
    """What a service says of an object: a claim, good enough to skip an upload, never to trust bytes."""

    size: int
    checksum: str | None
    """SHA-256 of the whole object in base64, where the service knows it."""
    locked_until: datetime | None
    """Until when Object Lock keeps this version."""


@dataclass(frozen=True)
class Bucket:
    """Everything below one prefix; nothing is asked before the first use."""

    name: str
    prefix: str
    """Empty, or ends in a slash."""
    settings: S3Settings

    @cached_property
    def client(self) -> Any:
        """boto3's client, which threads may share."""
        settings = self.settings
        return s3_client(
            settings.endpoint,
            region=settings.region,
            ca_file=settings.ca_file,
            addressing=settings.addressing,
            tries=settings.tries,
            connect_timeout_s=settings.connect_timeout_s,
            read_timeout_s=settings.read_timeout_s,
            connections=settings.parallel + 2,
        )

    @property
    def uri(self) -> str:
        """`s3://bucket/prefix`, and the endpoint where it is not Amazon's."""
        return self._named(self.prefix.rstrip("/"))

    def object_key(self, digest: str) -> str:
        """Where an object lies, present or not; raises IntegrityError for a malformed digest."""
        return self._key("objects", digest)

    def tree_key(self, digest: str) -> str:
        """Where the list of a tree's files lies: the object whose own digest is the tree's."""
        return self._key("trees", digest)

    def _key(self, kind: str, digest: str) -> str:
        name = hex_of(digest)
        return f"{self.prefix}{kind}/{name[:2]}/{name[2:]}"

    def explained(self, key: str = "") -> AbstractContextManager[None]:
        """Turns boto3's errors about a key into ours: ConfigError for what is refused, or Unavailable."""
        return explained(self._named(key or self.prefix.rstrip("/")), refused=ConfigError, hint=_HINT)

    def _named(self, key: str) -> str:
        uri = f"s3://{self.name}/{key}" if key else f"s3://{self.name}"
        return f"{uri} at {self.settings.endpoint}" if self.settings.endpoint else uri

    @property
    def encryption(self) -> Mapping[str, str]:
        """What a request that writes says about encryption."""
        if self.settings.kms_key is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.settings.kms_key}

    def is_encrypted(self, answer: Mapping[str, Any]) -> bool:
        """Whether an answer to a write confirms the encryption that was asked for."""
        return not self.encryption or answer.get("ServerSideEncryption") == "aws:kms"

    def not_encrypted(self, key: str) -> ConfigError:
        """The error about a service that took the key's name and left the bytes as they were."""
        return ConfigError(
            f"{self._named(key)}: the service does not confirm encryption under s3.kms_key",
            hint="use a service with SSE-KMS, or remove s3.kms_key; nothing was kept",
        )

    def look(self, key: str) -> Present | None:
        """What lies under a key, or None."""
        from botocore.exceptions import ClientError

        with self.explained(key):
            try:
                found = self.client.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if status_and_code(error)[0] == 404:
                    return None
                raise
        return Present(
            int(found["ContentLength"]), whole_checksum(found), found.get("ObjectLockRetainUntilDate")
        )

    def holds(self, key: str, size: int, digest: str) -> bool:
        """Whether these bytes lie under a key, as far as the service says without sending them.

        Raises IntegrityError when other bytes lie there.
        """
        found = self.look(key)
        if found is None:
            return False
        if found.size != size:
            raise _altered(self._named(key), f"{found.size} bytes", f"{size}")
        if found.checksum is not None and found.checksum != checksum(digest):
            raise _altered(self._named(key), f"SHA-256 {found.checksum}", checksum(digest))
        return True

    def put(self, key: str, data: bytes, **condition: str) -> Mapping[str, Any]:
        """One request that writes, with its checksum (Object Lock wants one); for use within `explained`."""
        answer: Mapping[str, Any] = self.client.put_object(
            Bucket=self.name,
            Key=key,
            Body=data,
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=checksum(digest_bytes(data)),
            **self.encryption,
            **condition,
        )
        return answer

    def delete(self, key: str) -> None:
        """Remove what lies under a key, if anything."""
        with self.explained(key):
            self.client.delete_object(Bucket=self.name, Key=key)


def open_bucket(uri: str, settings: S3Settings) -> Bucket:
    """The bucket and prefix of `s3://bucket/prefix`; raises ConfigError for anything else."""
    match = _URI.fullmatch(uri)
    prefix = match["prefix"].lstrip("/") if match else ""
    if match is None or {".", ".."} & set(prefix.split("/")):
        raise ConfigError(
            f"store: got {uri!r}, expected s3://bucket/prefix", hint="prefix: letters, digits, - _ . = and /"
        )
    return Bucket(match["name"], f"{prefix}/" if prefix else "", settings)


def checksum(digest: str) -> str:
    """A digest as S3 writes it: base64 of the 32 bytes."""
    return base64.b64encode(bytes.fromhex(hex_of(digest))).decode()


def whole_checksum(answer: Mapping[str, Any]) -> str | None:
    """SHA-256 of a whole object in an answer; that of an upload in parts is made from theirs."""
    found = answer.get("ChecksumSHA256")
    in_parts = "-" in answer.get("ETag", "") or answer.get("ChecksumType") == "COMPOSITE"
    return found if isinstance(found, str) and "-" not in found and not in_parts else None


def _altered(what: str, got: str, expected: str) -> IntegrityError:
    return IntegrityError(
        f"{what} was altered in the store: got {got}, expected {expected}",
        hint="find out who wrote there; then delete the object and run again",
    )
