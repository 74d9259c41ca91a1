"""Prometheus metrics of the gateway; no label ever holds a user or a key."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from infra.gateway.request_log import Line

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds, doubling: the boundaries that OpenTelemetry's GenAI conventions advise for durations.
_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
UNKNOWN_MODEL = "unknown"


class Metrics:
    """Counters and histograms of one gateway process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "assay_gateway_requests", "Requests", ["model", "outcome"], registry=self.registry
        )
        self._latency = Histogram(
            "assay_gateway_latency_seconds",
            "Whole requests",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._ttft = Histogram(
            "assay_gateway_first_token_seconds",
            "Until the first piece of a streamed answer",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._tokens = Counter("assay_gateway_tokens", "Tokens", ["model", "type"], registry=self.registry)
        self._blocks = Counter(
            "assay_gateway_guard_blocks", "Blocked", ["model", "direction", "rule"], registry=self.registry
        )
        self.generation = Gauge(
            "assay_gateway_routes_generation", "Route snapshot in force", registry=self.registry
        )
        self.refused = Gauge(
            "assay_gateway_routes_refused", "Routes that are not served", registry=self.registry
        )
        self.log_waiting = Gauge(
            "assay_gateway_log_waiting", "Lines of the request log not on disk yet", registry=self.registry
        )
        self._children: dict[tuple[object, ...], Any] = {}

    def observe(self, line: Line, model: str) -> None:
        """Count one request; `model` is a name from the routes, never the client's own text."""
        self._child(self._requests, model, line.outcome).inc()
        self._child(self._latency, model).observe(line.latency_ms / 1000)
        if line.ttft_ms is not None:
            self._child(self._ttft, model).observe(line.ttft_ms / 1000)
        if line.prompt_tokens is not None:
            self._child(self._tokens, model, "input").inc(line.prompt_tokens)
            self._child(self._tokens, model, "output").inc(line.completion_tokens or 0)
        if line.rule is not None:
            direction = "input" if line.outcome == "blocked_input" else "output"
            self._child(self._blocks, model, direction, line.rule).inc()

    def expose(self) -> bytes:
        """Prometheus' text format."""
        return bytes(generate_latest(self.registry))

    def _child(self, metric: Any, *labels: str) -> Any:
        # Looking a child up costs more than counting in it.
        key = (metric, *labels)
        if (child := self._children.get(key)) is None:
            child = self._children[key] = metric.labels(*labels)
        return child
