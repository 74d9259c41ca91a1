"""A request log as the gateway writes it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.fixture
def request_line() -> Callable[..., dict[str, Any]]:
    """One answered request at noon, with changes."""

    def _line(at: datetime = NOON, **changes: Any) -> dict[str, Any]:
        line = {
            "time": at.isoformat().replace("+00:00", "Z"),
            "id": "r1",
            "key": "k1",
            "model": "triage",
            "release": "sha256:" + "c" * 64,
            "status": 200,
            "outcome": "ok",
            "rule": None,
            "stream": False,
            "latency_ms": 100.0,
            "ttft_ms": None,
            "prompt_tokens": 70,
            "completion_tokens": 4,
        }
        return {**line, **changes}

    return _line


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def write(audit: Path) -> Callable[..., None]:
    """Append lines to a day's file."""

    def _write(*lines: dict[str, Any] | str, day: str = "20260102", end: str = "\n") -> None:
        audit.mkdir(exist_ok=True)
        text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + end
        with (audit / f"requests-{day}.jsonl").open("a", newline="") as stream:
            stream.write(text)

    return _write


@pytest.fixture
def window() -> dict[str, Any]:
    return {"model": "triage", "start": NOON - timedelta(hours=1), "end": NOON + timedelta(hours=1)}
