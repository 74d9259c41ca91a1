"""Compare a window of traffic with its limits; too little or unreadable traffic is never a pass.

limits = compare(traffic, project.operate)
report = operate_report("triage", traffic, project.operate, champion=release_id)
"""

from collections.abc import Collection

from infra.config.project import OperateSettings
from tasks.operate.traffic import Traffic
from tasks.records import LimitResult, OperateReport, Verdict

_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE)


def compare(
    traffic: Traffic, limits: OperateSettings, *, served: Collection[str] | None = None
) -> tuple[LimitResult, ...]:
    """One result per limit: log readable, enough requests, errors, blocks, latency.

    Rates are shares of the requests that reached the guard. `served`, when given, are the releases that
    were allowed to answer in the window: an answer of any other fails.
    """
    results = [
        _readable(traffic),
        _enough(traffic, limits),
        _rate("error-rate", "errors", traffic.window.errors, traffic, limits, limits.max_error_rate),
        _rate("block-rate", "blocked", traffic.window.blocked, traffic, limits, limits.max_block_rate),
        _latency(traffic, limits),
    ]
    if served is not None:
        results.append(_releases(traffic, served))
    return tuple(results)


def operate_report(
    project: str,
    traffic: Traffic,
    limits: OperateSettings,
    *,
    champion: str | None,
    served: Collection[str] | None = None,
) -> OperateReport:
    """The window, its limits and the worst verdict among them."""
    results = compare(traffic, limits, served=served)
    return OperateReport(
        project=project, champion=champion, window=traffic.window, limits=results, verdict=worst(results)
    )


def worst(results: Collection[LimitResult]) -> Verdict:
    """fail before inconclusive before pass; inconclusive for no results at all."""
    verdicts = {result.verdict for result in results}
    for verdict in _WORST_FIRST:
        if verdict in verdicts:
            return verdict
    return Verdict.PASS if verdicts else Verdict.INCONCLUSIVE


def _readable(traffic: Traffic) -> LimitResult:
    if not traffic.malformed_lines:
        return LimitResult(name="log-readable", verdict=Verdict.PASS, message="log-readable: every line")
    return LimitResult(
        name="log-readable",
        verdict=Verdict.INCONCLUSIVE,
        message=f"log-readable: {traffic.malformed_lines} malformed lines, first {traffic.malformed[0]}",
    )


def _enough(traffic: Traffic, limits: OperateSettings) -> LimitResult:
    enough = traffic.admitted >= limits.min_requests
    return LimitResult(
        name="requests",
        verdict=Verdict.PASS if enough else Verdict.INCONCLUSIVE,
        message=f"requests: {traffic.admitted}, limit >= {limits.min_requests}",
    )


def _judged(over: bool, traffic: Traffic, limits: OperateSettings) -> Verdict:
    if traffic.admitted < limits.min_requests:
        return Verdict.INCONCLUSIVE
    return Verdict.FAIL if over else Verdict.PASS


def _rate(
    name: str, what: str, count: int, traffic: Traffic, limits: OperateSettings, limit: float
) -> LimitResult:
    share = count / traffic.admitted if traffic.admitted else 0.0
    return LimitResult(
        name=name,
        verdict=_judged(share > limit, traffic, limits),
        message=f"{name}: {share:.1%} ({count} {what} of {traffic.admitted}), limit <= {limit:.1%}",
    )


def _latency(traffic: Traffic, limits: OperateSettings) -> LimitResult:
    p95, limit = traffic.window.latency_p95_ms, limits.max_latency_p95_ms
    if p95 is None:
        message = f"latency-p95: nothing was answered, limit <= {limit:g} ms"
        return LimitResult(name="latency-p95", verdict=Verdict.INCONCLUSIVE, message=message)
    return LimitResult(
        name="latency-p95",
        verdict=_judged(p95 > limit, traffic, limits),
        message=f"latency-p95: {p95:.1f} ms over {len(traffic.latencies_ms)} answers, limit <= {limit:g} ms",
    )


def _releases(traffic: Traffic, served: Collection[str]) -> LimitResult:
    strangers = {name: n for name, n in traffic.window.releases.items() if name not in served}
    if not strangers:
        message = f"releases: {len(traffic.window.releases)} answered, all were allowed to"
        return LimitResult(name="releases", verdict=Verdict.PASS, message=message)
    name, count = next(iter(strangers.items()))
    message = f"releases: {count} requests were answered by {name}, which the ledger did not put in service"
    return LimitResult(name="releases", verdict=Verdict.FAIL, message=message)
