"""Timing: warm-up is not counted, rows are taken in turn, refusals and broken clocks are no measurement."""

import itertools
from collections.abc import Sequence

import pytest

from infra.digest import digest_bytes
from infra.errors import DataError
from tasks.records.redteam import Against
from tasks.validate.benchmark.speed import Timed, speed_evidence, time_unit
from tasks.validate.targets import Conversation, Reply

INPUTS = {"candidate": digest_bytes(b"u")}


class Unit:
    """Remembers what it was asked; blocks from the given request on."""

    against: Against = "unit"

    def __init__(self, blocks_from: int = 10**9) -> None:
        self.asked: list[list[str]] = []
        self.blocks_from = blocks_from

    def ask(self, conversations: Sequence[Conversation]) -> Sequence[Reply]:
        self.asked.append([conversation[0]["content"] for conversation in conversations])
        blocked = "override" if len(self.asked) > self.blocks_from else None
        return [Reply("impact", blocked) for _ in conversations]


def timed(unit: Unit, *, series_s: float = 10, **more: int) -> Timed:
    """Every request and every batch takes one second by this clock."""
    ticks = itertools.count()
    sizes = {"requests": 3, "batches": 2, "batch_size": 4, "warm_up": 2} | more
    return time_unit(unit, ["a", "b", "c"], clock=lambda: float(next(ticks)), series_s=series_s, **sizes)


def test_warm_up_is_not_counted_and_rows_come_in_turn() -> None:
    unit = Unit()
    found = timed(unit)
    assert (found.single_s, found.batch_s, found.batch_size) == ((1.0,) * 3, (1.0,) * 2, 4)
    assert [len(asked) for asked in unit.asked] == [1, 1, 4, 4, 1, 1, 1, 4, 4]
    flat = [text for asked in unit.asked for text in asked]
    assert flat == list(itertools.islice(itertools.cycle("abc"), len(flat)))


def test_a_slow_unit_is_timed_until_there_is_enough_for_an_interval() -> None:
    unit = Unit()
    found = timed(unit, requests=100, batches=12, warm_up=5, series_s=1.5)
    # Two seconds of warm-up each; 72 requests enclose a p95 and two batches a rate, however long they take.
    assert [len(found.single_s), len(found.batch_s)] == [72, 2]
    assert [len(asked) for asked in unit.asked] == [1] * 2 + [4] * 2 + [1] * 72 + [4] * 2
    latency, rate, *_ = speed_evidence(found, 1, INPUTS, usd_per_machine_hour=1)
    assert (latency.n, rate.value) == (72, pytest.approx(4.0))


@pytest.mark.parametrize("blocks_from", [0, 4, 8])
def test_a_refusal_is_no_answer_s_time(blocks_from: int) -> None:
    with pytest.raises(DataError, match="blocked by 'override'"):
        timed(Unit(blocks_from))


def test_nothing_to_time_is_refused() -> None:
    with pytest.raises(DataError, match="no texts"):
        time_unit(Unit(), [], requests=1, batches=1, batch_size=1, warm_up=1, series_s=1)


def test_evidence_follows_from_the_times() -> None:
    times = Timed(tuple(0.010 + 0.0001 * at for at in range(100)), (0.5, 0.5, 1.0), 8)
    latency, rate, memory, cost = speed_evidence(times, 422_000_000, INPUTS, usd_per_machine_hour=0.36)
    assert latency.metric == "latency_p95_ms"
    assert latency.value == pytest.approx(19.4)
    assert latency.lower < latency.value < latency.upper
    assert rate.value == pytest.approx(12.0)
    assert memory.value == 422
    assert cost.value == pytest.approx(1000 * 0.36 / 3600 / 12)
    # The faster, the cheaper: the bounds change places.
    assert cost.lower == pytest.approx(0.1 / rate.upper)
    assert cost.upper == pytest.approx(0.1 / rate.lower)
    assert {item.inputs["candidate"] for item in (latency, rate, memory, cost)} == {INPUTS["candidate"]}


@pytest.mark.parametrize(
    ("single", "batch", "peak"),
    [((0.1,) * 99 + (0.0,), (1.0, 1.0), 1), ((0.1,) * 100, (1.0, -1.0), 1), ((0.1,) * 100, (1.0, 1.0), 0)],
)
def test_a_clock_or_counter_that_stands_still_is_no_measurement(
    single: tuple[float, ...], batch: tuple[float, ...], peak: int
) -> None:
    with pytest.raises(DataError, match="must be positive"):
        speed_evidence(Timed(single, batch, 8), peak, INPUTS, usd_per_machine_hour=1)


def test_too_few_or_infinite_times_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 72"):
        speed_evidence(Timed((0.1,) * 71, (1.0, 1.0), 8), 1, INPUTS, usd_per_machine_hour=1)
    with pytest.raises(ValueError, match="finite"):
        speed_evidence(Timed((0.1,) * 99 + (float("inf"),), (1.0, 1.0), 8), 1, INPUTS, usd_per_machine_hour=1)
    with pytest.raises(DataError):
        speed_evidence(Timed((), (), 8), 1, INPUTS, usd_per_machine_hour=1)
