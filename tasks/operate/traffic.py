"""A window of real traffic, read from the gateway's own request log.

traffic = read_traffic(home / "audit", model="triage", start=start, end=end)
traffic.window            # TrafficWindow: counts, latencies, requests by release
traffic.malformed         # ("requests-20260101.jsonl:17: …",): the verdict must not be a pass then
"""

import array
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from infra.errors import DataError, Unavailable
from tasks.records import TrafficWindow

Outcome = Literal[
    "ok",
    "blocked_input",
    "blocked_output",
    "denied",
    "invalid",
    "rate_limited",
    "upstream_error",
    "client_gone",
]
_BLOCKED = frozenset({"blocked_input", "blocked_output"})
# They never reached guard or model: a flood of them must not dilute an error rate.
_TURNED_AWAY = frozenset({"denied", "invalid", "rate_limited"})
UNNAMED_RELEASE = "unnamed"
_FILE = re.compile(r"requests-(\d{8})\.jsonl")
_KEPT_MALFORMED = 20

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Milliseconds = Annotated[float, msgspec.Meta(ge=0)]


class Line(msgspec.Struct, frozen=True):
    """One request as the gateway logs it; further fields are ignored."""

    time: datetime
    id: str
    status: Annotated[int, msgspec.Meta(ge=0, le=599)]
    outcome: Outcome
    model: str | None = None
    release: str | None = None
    key: str | None = None
    rule: str | None = None
    stream: bool = False
    latency_ms: _Milliseconds | None = None
    ttft_ms: _Milliseconds | None = None
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None


@dataclass(frozen=True)
class Traffic:
    """The window and what the report shows besides; latencies (ms) are those of answered requests."""

    model: str
    window: TrafficWindow
    outcomes: dict[str, int]
    rules: dict[str, int]
    latencies_ms: tuple[float, ...]
    admitted: int
    """Requests that reached the guard, or that we failed: the denominator of all rates."""
    malformed: tuple[str, ...]
    malformed_lines: int


def read_traffic(directory: Path, *, model: str, start: datetime, end: datetime) -> Traffic:
    """Requests for `model` that ended in [start, end), from `requests-YYYYMMDD.jsonl` (UTC days).

    A torn last line of the newest file is being written and is left out; every other malformed line is
    counted. Raises DataError for naive or reversed times, Unavailable when the log cannot be read.
    """
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise DataError(f"traffic window {start} to {end}: expected two times with zone, start first")
    outcomes: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    releases: Counter[str] = Counter()
    latencies = array.array("d")
    errors, admitted, malformed_lines = 0, 0, 0
    malformed: list[str] = []
    for parsed in _lines(directory, start, end):
        if isinstance(parsed, str):
            malformed_lines += 1
            if len(malformed) < _KEPT_MALFORMED:
                malformed.append(parsed)
            continue
        if parsed.model != model or not start <= parsed.time < end:
            continue
        outcomes[parsed.outcome] += 1
        failed = parsed.status >= 500 or parsed.outcome == "upstream_error"
        errors += failed
        admitted += failed or parsed.outcome not in _TURNED_AWAY
        if parsed.release or parsed.outcome == "ok":
            releases[parsed.release or UNNAMED_RELEASE] += 1
        if parsed.outcome in _BLOCKED and parsed.rule:
            rules[parsed.rule] += 1
        if parsed.outcome == "ok" and parsed.latency_ms is not None:
            latencies.append(parsed.latency_ms)
    return Traffic(
        model=model,
        window=TrafficWindow(
            start=start.astimezone(UTC).isoformat(),
            end=end.astimezone(UTC).isoformat(),
            requests=outcomes.total(),
            errors=errors,
            blocked=sum(outcomes[outcome] for outcome in _BLOCKED),
            latency_p50_ms=_quantile(latencies, 0.5),
            latency_p95_ms=_quantile(latencies, 0.95),
            releases=dict(sorted(releases.items())),
        ),
        outcomes=dict(sorted(outcomes.items())),
        rules=dict(rules.most_common()),
        latencies_ms=tuple(latencies),
        admitted=admitted,
        malformed=tuple(malformed),
        malformed_lines=malformed_lines,
    )


def _quantile(values: "array.array[float]", share: float) -> float | None:
    """A value that really occurred: at least `share` of all are not above it."""
    return float(np.quantile(values, share, method="inverted_cdf")) if values else None


def log_files(directory: Path) -> list[Path]:
    """Request logs, oldest first; none when the gateway never ran. Raises Unavailable."""
    try:
        return sorted(file for file in directory.iterdir() if _FILE.fullmatch(file.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Unavailable(f"request log {directory}: {error.strerror}", hint="run again") from error


def _lines(directory: Path, start: datetime, end: datetime) -> Iterator[Line | str]:
    """Parsed lines of the days that touch the window; a malformed one as `file:line: reason`."""
    files = log_files(directory)
    # A request is filed by the day it is written, which may be the day after it began.
    first = start.astimezone(UTC).strftime("%Y%m%d")
    last = (end.astimezone(UTC) + timedelta(days=1)).strftime("%Y%m%d")
    decode = msgspec.json.Decoder(Line).decode
    for file in files:
        if not first <= file.name[9:17] <= last:
            continue
        try:
            with file.open("rb") as stream:
                for number, raw in enumerate(stream, start=1):
                    if not raw.endswith(b"\n") and file == files[-1]:
                        break
                    yield _parse(decode, raw, f"{file.name}:{number}")
        except OSError as error:
            raise Unavailable(f"request log {file}: {error.strerror}", hint="run again") from error


def _parse(decode: Callable[[bytes], Line], raw: bytes, where: str) -> Line | str:
    try:
        line = decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"{where}: {error}"
    return line if line.time.tzinfo else f"{where}: time has no zone"
