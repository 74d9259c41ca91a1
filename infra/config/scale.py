"""Settings of scale-out: where data preparation and scoring run."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from infra.config.section import Section

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ScaleSettings(Section):
    """In this process, or on a Dask cluster; results are the same bytes either way."""

    engine: Literal["process", "dask"] = Field("process", description="process: this one; dask: workers")
    workers: int = Field(2, ge=1, le=256, description="worker processes of a local cluster")
    address: str | None = Field(
        None, description="a running scheduler (tls://host:port); none: a local cluster for each use"
    )
    tls_ca: Path | None = Field(None, description="certificate authority of the scheduler at `address` (PEM)")
    tls_certificate: Path | None = Field(None, description="our certificate for that scheduler (PEM)")
    tls_key: Path | None = Field(None, description="key of that certificate (PEM, 0600)")
    start_timeout_s: float = Field(120.0, gt=0, description="how long a cluster may take to answer")
    tries: int = Field(3, ge=1, le=10, description="attempts at one item whose error may heal by itself")
    worker_deaths: int = Field(
        3, ge=1, le=20, description="workers that may die over one item before it is given up"
    )
    shard_items: int = Field(
        256,
        ge=1,
        description="texts in one shard of scoring; part of the result's identity, not of its speed",
    )

    @model_validator(mode="after")
    def _address_is_safe(self) -> Self:
        files = (self.tls_ca, self.tls_certificate, self.tls_key)
        if self.address is None:
            if any(files):
                raise ValueError("scale.tls_*: only used with scale.address, remove them")
            return self
        if self.engine != "dask":
            raise ValueError("scale.address: only engine 'dask' has a scheduler")
        parts = urlsplit(self.address)
        # Whoever reaches a scheduler can run code on it: in the clear only within this machine.
        if parts.scheme == "tcp" and parts.hostname in _LOOPBACK and not any(files):
            return self
        if parts.scheme != "tls" or not parts.hostname:
            raise ValueError(f"scale.address: got {self.address!r}, expected tls://host:port")
        if not all(files):
            raise ValueError("scale.address: tls needs scale.tls_ca, scale.tls_certificate and scale.tls_key")
        return self
