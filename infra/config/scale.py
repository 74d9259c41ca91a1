"""Settings of scale-out: where data preparation and scoring run."""

from typing import Literal

from pydantic import Field

from infra.config.section import Section


class ScaleSettings(Section):
    """In this process, or on a Dask cluster."""

    engine: Literal["process", "dask"] = "process"
    workers: int = Field(2, ge=1, description="workers of a local cluster")
    address: str | None = Field(None, description="a running scheduler; none: a local cluster")
