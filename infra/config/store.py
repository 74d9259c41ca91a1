"""Settings of the store: where it is, and how a bucket of an S3 service is used."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from infra.config.section import Endpoint, Section

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class S3Settings(Section):
    """How `store: s3://bucket/prefix` is used; credentials come from boto3's usual chain, never from here."""

    endpoint: Endpoint | None = Field(
        None, description="URL of an S3-compatible service (https, or this machine's http); none: Amazon's"
    )
    region: str | None = Field(None, description="region of the bucket; none: as boto3 finds it")
    ca_file: Path | None = Field(
        None, description="certificate authorities of the endpoint (PEM, absolute path); none: the system's"
    )
    addressing: Literal["auto", "path", "virtual"] = Field(
        "auto", description="how the bucket is named in a request; auto: path for an endpoint of your own"
    )
    kms_key: str | None = Field(
        None, min_length=1, description="id or ARN of the KMS key that objects are encrypted under (SSE-KMS)"
    )
    lock_mode: Literal["governance", "compliance"] | None = Field(
        None, description="Object Lock of archived releases; the bucket must have it; none: no retention"
    )
    lock_days: int = Field(
        365, ge=1, le=36_500, description="archived releases cannot be deleted for so many days"
    )
    incomplete_upload_days: int = Field(
        7, ge=1, le=365, description="the bucket drops parts of unfinished uploads after so many days"
    )
    part_mib: int = Field(
        16, ge=5, le=1024, description="size of an upload's parts in MiB; larger files are sent in parts"
    )
    parallel: int = Field(4, ge=1, le=32, description="parts of a file sent at once")
    tries: int = Field(5, ge=1, le=10, description="attempts at a request, and at a download that is cut off")
    connect_timeout_s: float = Field(10.0, gt=0, le=300)
    read_timeout_s: float = Field(
        60.0, gt=0, le=600, description="silence of the service that ends an attempt"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.endpoint is not None:
            parts = urlsplit(self.endpoint)
            # Digests protect what is stored, but not the requests that carry it, nor who reads it on the way.
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise ValueError(f"s3.endpoint: got {self.endpoint!r}, expected https://")
        if self.ca_file is not None and not self.ca_file.is_absolute():
            raise ValueError(f"s3.ca_file: got {str(self.ca_file)!r}, expected an absolute path")
        if "lock_days" in self.model_fields_set and self.lock_mode is None:
            raise ValueError("s3.lock_days: only used with s3.lock_mode")
        return self


@dataclass(frozen=True)
class StorePlace:
    """Everything that opens the store, here or in a worker on another machine."""

    uri: str
    """`file:///absolute/path` or `s3://bucket/prefix`."""
    cache: Path | None = None
    """Directory of the trees that were brought here from S3; not used for a directory."""
    s3: S3Settings = field(default_factory=S3Settings)
