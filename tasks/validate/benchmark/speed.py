"""The check of performance: latency, throughput, memory and cost of the served unit, in this process.

CHECK.run(workspace, candidate)      # latency_p95_ms, throughput_rps, peak_memory_mb, cost_usd_per_1k_…

Guard, prompt and model as they are served, without the network. The requests are rows of the validation
split, so that no look at the frozen test split is spent on a clock.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.errors import DataError
from infra.splits import read_split
from infra.statistics.intervals import Interval
from infra.statistics.quantiles import least_values, quantile_interval
from infra.statistics.ratio import ratio_bootstrap
from infra.workspace import Workspace
from tasks.records import Candidate, Evidence
from tasks.validate.benchmark.hold_out import guard_policy
from tasks.validate.check import Check
from tasks.validate.targets import Target

_MEGABYTE = 1_000_000
_QUANTILE = 0.95
_LEAST_BATCHES = 2


@dataclass(frozen=True)
class Timed:
    """Seconds of single requests, one after the other, and of full batches."""

    single_s: tuple[float, ...]
    batch_s: tuple[float, ...]
    batch_size: int


def time_unit(
    unit: Target,
    texts: Sequence[str],
    *,
    requests: int,
    batches: int,
    batch_size: int,
    warm_up: int,
    series_s: float,
    clock: Callable[[], float] = time.perf_counter,
) -> Timed:
    """Times after warm-up; texts are taken in turn, from the start again when they run out.

    A series ends after `series_s` seconds once it has enough for an interval: a slow unit is to be shown
    slow, not to run into the deadline without a number. Raises DataError for no texts and for a blocked
    request: a refusal costs less than an answer.
    """
    if not texts:
        raise DataError("no texts to time", "an empty benchmark measures nothing")
    taken = 0

    def seconds(size: int) -> float:
        nonlocal taken
        asked = [[{"role": "user", "content": texts[(taken + at) % len(texts)]}] for at in range(size)]
        taken += size
        started = clock()
        replies = unit.ask(asked)
        spent = clock() - started
        if blocked := next((reply.blocked_by for reply in replies if reply.blocked_by), None):
            raise DataError(f"a request was blocked by {blocked!r}: its time is not that of an answer")
        return spent

    def series(size: int, most: int, least: int) -> tuple[float, ...]:
        times: list[float] = []
        while len(times) < least or (len(times) < most and sum(times) < series_s):
            times.append(seconds(size))
        return tuple(times)

    for size in (1, batch_size):
        series(size, warm_up, 1)
    single = series(1, requests, min(requests, least_values(_QUANTILE)))
    return Timed(single, series(batch_size, batches, min(batches, _LEAST_BATCHES)), batch_size)


def speed_evidence(
    timed: Timed,
    peak_bytes: int,
    inputs: dict[str, str],
    *,
    usd_per_machine_hour: float,
    confidence: float = 0.95,
) -> tuple[Evidence, ...]:
    """The four metrics; raises DataError for times that are not positive, ValueError for too few of them."""
    if peak_bytes <= 0 or min((*timed.single_s, *timed.batch_s), default=0) <= 0:
        raise DataError("times and memory must be positive: the clock or the counter does not work here")
    latency = quantile_interval([1000 * each for each in timed.single_s], _QUANTILE, confidence)
    rate = ratio_bootstrap([timed.batch_size] * len(timed.batch_s), timed.batch_s, confidence=confidence)
    requests = len(timed.batch_s) * timed.batch_size
    memory = peak_bytes / _MEGABYTE
    peak = Interval(memory, memory, memory, confidence, requests, "high-water mark of resident memory")
    where = "guard, prompt and model in process, one thread, after warm-up"
    return (
        Evidence.of("latency_p95_ms", latency, inputs, remark=f"single requests; {where}"),
        Evidence.of("throughput_rps", rate, inputs, remark=f"batches of {timed.batch_size}; {where}"),
        Evidence.of("peak_memory_mb", peak, inputs, remark="libraries, model and all requests; one run"),
        Evidence.of(
            "cost_usd_per_1k_requests",
            _cost(rate, usd_per_machine_hour),
            inputs,
            remark=f"{usd_per_machine_hour:g} USD per machine hour at full batches",
        ),
    )


def _cost(rate: Interval, usd_per_machine_hour: float) -> Interval:
    """USD per 1,000 requests: falls as the rate rises, so that the bounds change places."""
    per_second = 1000 * usd_per_machine_hour / 3600
    return Interval(
        per_second / rate.value,
        per_second / rate.upper,
        per_second / rate.lower,
        rate.confidence,
        rate.n,
        f"from throughput: {rate.method}",
    )


def run(workspace: Workspace, candidate: Candidate) -> Sequence[Evidence]:
    """Evidence from one run on this machine; raises DataError, IntegrityError, Unavailable."""
    from infra.models.peak_memory import peak_memory
    from infra.models.threads import wait_passively
    from tasks.validate.targets.unit import ServedUnit

    wait_passively()
    project, settings = workspace.project, workspace.project.benchmark
    dataset = candidate.dataset
    cells = read_split(workspace.store, dataset.splits["validation"], dataset.content["validation"])
    guard = guard_policy(workspace, candidate)
    with (
        peak_memory() as peak,
        ServedUnit.open(
            workspace.store, candidate, guard, serving=project.serving, gateway=project.gateway
        ) as unit,
    ):
        timed = time_unit(
            unit,
            [cell["text"] for cell in cells],
            requests=settings.timed_requests,
            batches=settings.timed_batches,
            batch_size=project.serving.max_batch,
            warm_up=settings.warm_up,
            series_s=settings.series_seconds,
        )
    inputs = {
        "candidate": candidate.unit,
        "guard": candidate.guard,
        "prompt": candidate.prompt.digest,
        "dataset": dataset.content["validation"],
    }
    return speed_evidence(timed, peak.bytes, inputs, usd_per_machine_hour=settings.usd_per_machine_hour)


CHECK = Check(
    name="performance",
    metrics=("latency_p95_ms", "throughput_rps", "peak_memory_mb", "cost_usd_per_1k_requests"),
    deadline_s=300,
    code=(
        "tasks.validate.benchmark.speed",
        "tasks.validate.targets",
        "infra.guard",
        "infra.models",
        "infra.prompts",
        "infra.serving",
        "infra.statistics",
    ),
    run=run,
)
