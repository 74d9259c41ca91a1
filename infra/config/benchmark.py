"""Settings of the benchmark: what is timed, what a machine costs, which tasks show what was forgotten."""

from pathlib import Path

from pydantic import Field

from infra.config.section import Section


class BenchmarkSettings(Section):
    """How a candidate's ability, speed and cost are measured."""

    usd_per_machine_hour: float = Field(
        0.10, ge=0, description="price of the machine that serves; USD per 1,000 requests follow from it"
    )
    timed_requests: int = Field(
        100, ge=72, description="single requests, one after the other; a p95's interval needs at least 72"
    )
    timed_batches: int = Field(12, ge=2, description="full batches of serving.max_batch")
    warm_up: int = Field(5, ge=1, description="requests and batches that are not counted, each")
    series_seconds: float = Field(
        30.0, gt=0, description="a series of these ends after that, once it has enough for an interval"
    )
    general_ability: tuple[Path, ...] = Field(
        (Path("benchmarks/piqa.yaml"), Path("benchmarks/openbookqa.yaml"), Path("benchmarks/mmlu.yaml")),
        min_length=1,
        description="task files, relative to the project file, scored for base and candidate",
    )
