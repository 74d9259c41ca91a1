"""Every line reaches the disk, or new requests are refused."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.gateway.request_log import Line, RequestLog


def lines(directory: Path) -> list[dict[str, object]]:
    return [
        json.loads(line) for file in sorted(directory.iterdir()) for line in file.read_text().splitlines()
    ]


def line(number: int) -> Line:
    return Line(datetime.now(UTC), f"id-{number}")


def test_lines_are_kept_in_order(tmp_path: Path) -> None:
    log = RequestLog(tmp_path / "audit")
    log.start()
    for number in range(2000):
        log.write(line(number))
    log.close()
    assert [each["id"] for each in lines(tmp_path / "audit")] == [f"id-{number}" for number in range(2000)]


def test_torn_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    first = RequestLog(tmp_path)
    first.start()
    first.write(line(1))
    first.close()
    file = next(tmp_path.iterdir())
    file.write_bytes(file.read_bytes() + b'{"time":"20')
    second = RequestLog(tmp_path)
    second.start()
    second.write(line(2))
    second.close()
    assert json.loads(file.read_text().splitlines()[-1])["id"] == "id-2"


def test_failing_disk_refuses_requests_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = RequestLog(tmp_path)
    log.start()
    assert log.admits()
    real, broken = os.write, True

    def write(handle: int, data: bytes) -> int:
        if broken:
            real(handle, bytes(data[: len(data) // 2]))  # a part, then the disk is full
            raise OSError(28, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", write)
    log.write(line(1))
    deadline = time.monotonic() + 5
    while log.admits():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert "No space" in log.failure
    log.write(line(2))
    broken = False
    while not log.admits():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    log.close()
    assert [each["id"] for each in lines(tmp_path)] == ["id-1", "id-2"]


def test_nothing_is_admitted_before_start_and_after_close(tmp_path: Path) -> None:
    log = RequestLog(tmp_path)
    assert not log.admits()
    log.start()
    log.close()
    assert not log.admits()
