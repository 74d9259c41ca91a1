"""What operate hands on: a window of traffic and how it compares with its limits."""

from pydantic import Field

from tasks.records.evidence import Verdict
from tasks.records.record import Digest, Record


class TrafficWindow(Record):
    """Counts and latencies of one window, read from the gateway's own request log."""

    start: str
    end: str
    requests: int = Field(ge=0)
    errors: int = Field(ge=0, description="answers with status 5xx, or streams that broke")
    blocked: int = Field(ge=0, description="requests or answers that the guard stopped")
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    releases: dict[str, int] = Field(description="requests by release digest")


class LimitResult(Record):
    """One limit compared with the window."""

    name: str
    verdict: Verdict
    message: str


class OperateReport(Record):
    """The window, its limits, and the overall verdict."""

    project: str
    champion: Digest | None
    window: TrafficWindow
    limits: tuple[LimitResult, ...]
    verdict: Verdict
