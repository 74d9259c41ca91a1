"""The request log: what is malformed is counted and named, what is outside of the window is not."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.errors import DataError, Unavailable
from infra.gateway.request_log import Line, RequestLog
from tasks.operate.traffic import UNNAMED_RELEASE, Traffic, read_traffic

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
Write = Callable[..., None]
Request = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    "broken",
    [
        "not json",
        "{",
        "[]",
        "null",
        '"text"',
        "",
        '{"time": "2026-01-02T12:00:00Z"}',
        "\x00\x00\x00",
        {"status": "200"},
        {"status": 700},
        {"status": True},
        {"outcome": "fine"},
        {"outcome": None},
        {"time": "yesterday"},
        {"time": "2026-01-02T12:00:00"},
        {"time": 1767355200},
        {"latency_ms": -1.0},
        {"latency_ms": "100"},
        {"completion_tokens": -4},
        {"model": 7},
        {"release": ["x"]},
    ],
)
def test_a_malformed_line_is_named_and_the_others_still_count(
    audit: Path, write: Write, request_line: Request, window: dict[str, Any], broken: str | dict[str, Any]
) -> None:
    line = broken if isinstance(broken, str) else request_line(**broken)
    write(request_line(), line, request_line())
    traffic = read_traffic(audit, **window)
    assert traffic.malformed_lines == 1
    assert traffic.malformed[0].startswith("requests-20260102.jsonl:2: ")
    assert traffic.window.requests == 2


def test_many_malformed_lines_are_counted_but_not_kept(
    audit: Path, write: Write, window: dict[str, Any]
) -> None:
    write(*["broken"] * 500)
    traffic = read_traffic(audit, **window)
    assert traffic.malformed_lines == 500
    assert len(traffic.malformed) == 20


@pytest.mark.parametrize("tail", ['{"time":"2026-01-02T1', "x", '{"time":"\udcff'])
def test_a_torn_last_line_is_being_written(
    audit: Path, write: Write, request_line: Request, window: dict[str, Any], tail: str
) -> None:
    write(request_line())
    with (audit / "requests-20260102.jsonl").open("ab") as stream:
        stream.write(tail.encode(errors="surrogateescape"))
    traffic = read_traffic(audit, **window)
    assert (traffic.window.requests, traffic.malformed_lines) == (1, 0)


def test_a_torn_line_in_the_middle_or_at_the_end_of_an_older_file_is_malformed(
    audit: Path, write: Write, request_line: Request, window: dict[str, Any]
) -> None:
    write(request_line(), '{"time":', day="20260102", end="")
    write(request_line(NOON), day="20260103")
    assert read_traffic(audit, **window).malformed == ("requests-20260102.jsonl:2: Input data was truncated",)


def test_no_log_at_all_is_an_empty_window(audit: Path, window: dict[str, Any]) -> None:
    traffic = read_traffic(audit, **window)
    assert traffic.window.requests == traffic.admitted == 0
    assert traffic.window.latency_p95_ms is None


def test_a_directory_that_cannot_be_read_is_unavailable(audit: Path, window: dict[str, Any]) -> None:
    audit.write_text("a file in the way")
    with pytest.raises(Unavailable, match="request log"):
        read_traffic(audit, **window)
    audit.unlink()
    (audit / "requests-20260102.jsonl").mkdir(parents=True)
    with pytest.raises(Unavailable, match="request log"):
        read_traffic(audit, **window)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON, NOON),
        (NOON, NOON - timedelta(1)),
        (NOON.replace(tzinfo=None), NOON),
        (NOON, datetime(2027, 1, 1)),
    ],
)
def test_impossible_windows_are_refused(audit: Path, start: datetime, end: datetime) -> None:
    with pytest.raises(DataError, match="window"):
        read_traffic(audit, model="triage", start=start, end=end)


def test_window_holds_its_start_but_not_its_end_and_only_this_model(
    audit: Path, write: Write, request_line: Request, window: dict[str, Any]
) -> None:
    start, end = window["start"], window["end"]
    write(
        request_line(start, id="in"),
        request_line(end, id="out"),
        request_line(start - timedelta(microseconds=1), id="out"),
        request_line(model="weakness"),
        request_line(model=None, status=401, outcome="denied"),
    )
    assert read_traffic(audit, **window).window.requests == 1


def test_zones_are_compared_as_moments(
    audit: Path, write: Write, request_line: Request, window: dict[str, Any]
) -> None:
    write(request_line(time="2026-01-02T14:30:00+02:00"), request_line(time="2026-01-02T12:30:00-02:00"))
    assert read_traffic(audit, **window).window.requests == 1


def test_a_window_over_midnight_reads_all_its_days(audit: Path, write: Write, request_line: Request) -> None:
    midnight = datetime(2026, 1, 3, tzinfo=UTC)
    write(request_line(midnight - timedelta(minutes=1)), day="20260102")
    # Begun before midnight, written after it.
    write(
        request_line(midnight - timedelta(seconds=1)),
        request_line(midnight + timedelta(minutes=1)),
        day="20260103",
    )
    write("outside, not read", day="20251231")
    write("outside, not read", day="20260109")
    traffic = read_traffic(
        audit, model="triage", start=midnight - timedelta(hours=1), end=midnight + timedelta(hours=1)
    )
    assert (traffic.window.requests, traffic.malformed_lines) == (3, 0)


def test_counts_by_outcome(audit: Path, write: Write, request_line: Request, window: dict[str, Any]) -> None:
    write(
        request_line(),
        request_line(release=None),
        request_line(status=400, outcome="blocked_input", rule="injection", release=None, latency_ms=1.0),
        request_line(outcome="blocked_output", rule="secret"),
        request_line(status=429, outcome="rate_limited", release=None, latency_ms=1.0),
        request_line(status=401, outcome="denied", release=None, latency_ms=1.0),
        request_line(status=422, outcome="invalid", release=None, latency_ms=1.0),
        request_line(status=502, outcome="upstream_error"),
        request_line(status=200, outcome="upstream_error", stream=True),
        request_line(status=503, outcome="rate_limited", release=None),
        request_line(outcome="client_gone"),
    )
    traffic = read_traffic(audit, **window)
    assert traffic.window.requests == 11
    assert traffic.window.errors == 3
    assert traffic.window.blocked == 2
    assert traffic.admitted == 8
    assert traffic.rules == {"injection": 1, "secret": 1}
    assert traffic.window.releases == {"sha256:" + "c" * 64: 5, UNNAMED_RELEASE: 1}


def test_latencies_are_those_of_answers(
    audit: Path, write: Write, request_line: Request, window: dict[str, Any]
) -> None:
    write(*[request_line(latency_ms=float(ms)) for ms in range(1, 101)])
    write(*[request_line(outcome="denied", status=401, latency_ms=0.1)] * 100)
    traffic = read_traffic(audit, **window)
    assert (traffic.window.latency_p50_ms, traffic.window.latency_p95_ms) == (50.0, 95.0)


def test_what_the_gateway_writes_is_read(audit: Path, window: dict[str, Any]) -> None:
    log = RequestLog(audit)
    log.start()
    now = datetime.now(UTC)
    log.write(
        Line(
            time=now,
            id="1",
            model="triage",
            release="sha256:" + "c" * 64,
            status=200,
            outcome="ok",
            latency_ms=12.5,
        )
    )
    log.write(Line(time=now, id="2", model="triage", status=403, outcome="blocked_input", rule="injection"))
    log.close()
    traffic = read_traffic(
        audit, model="triage", start=now - timedelta(minutes=1), end=now + timedelta(minutes=1)
    )
    assert traffic.malformed == ()
    assert (traffic.window.requests, traffic.window.blocked, traffic.latencies_ms) == (2, 1, (12.5,))


def test_a_large_log_is_read_in_seconds(audit: Path, request_line: Request, window: dict[str, Any]) -> None:
    audit.mkdir()
    line = json.dumps(request_line()) + "\n"
    (audit / "requests-20260102.jsonl").write_text(line * 50_000)
    started = time.process_time()
    traffic: Traffic = read_traffic(audit, **window)
    assert traffic.window.requests == 50_000
    assert time.process_time() - started < 5
