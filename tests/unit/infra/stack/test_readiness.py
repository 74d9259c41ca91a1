"""Only a 2xx of a real call counts; a worker must have reported since its process started."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from infra.errors import Unavailable
from infra.stack.readiness import _worker_missing, last_lines, probe
from infra.stack.record import Check

NOW = datetime(2026, 11, 1, 2, tzinfo=UTC)
WORKER = Check("http://api", body="{}", kind="worker", worker="assay")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200 if self.path == "/good" else 503)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200 if json.loads(body) == {"limit": 1} else 422)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"body")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


@pytest.fixture
def server() -> Iterator[str]:
    made = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_error_status_is_unavailable(server: str) -> None:
    with pytest.raises(Unavailable, match="HTTP 503"):
        probe(f"{server}/bad")


def test_refused_connection_is_unavailable_with_a_hint() -> None:
    with pytest.raises(Unavailable, match="does not answer") as caught:
        probe("http://127.0.0.1:9/", 1)
    assert "assay up" in caught.value.hint


def test_probe_ignores_a_proxy(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert probe(f"{server}/good") == b"body"


def test_body_is_posted_as_json(server: str) -> None:
    assert probe(server, body='{"limit": 1}') == b"body"


def worker(name: str = "assay", status: str = "ONLINE", beat: datetime = NOW) -> bytes:
    return json.dumps([{"name": name, "status": status, "last_heartbeat_time": beat.isoformat()}]).encode()


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        worker(name="another"),
        worker(status="OFFLINE"),
        worker(beat=NOW - timedelta(seconds=1)),
        b"<html>",
        b'{"detail": "x"}',
        b'[{"name": "assay"}]',
    ],
)
def test_worker_that_has_not_reported_is_not_ready(answer: bytes) -> None:
    assert _worker_missing(WORKER, answer, NOW.timestamp())


def test_worker_that_reported_since_its_start_is_ready() -> None:
    assert _worker_missing(WORKER, worker(beat=NOW + timedelta(seconds=1)), NOW.timestamp()) == ""


def test_last_lines_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert "empty" in last_lines(log)
    log.write_text("\n".join(f"line {n}" for n in range(100)) + "\n\n")
    assert last_lines(log, 2).split() == ["line", "98", "line", "99"]
