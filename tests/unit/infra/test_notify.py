"""A webhook that fails never fails its caller, is retried when that may help, and stays secret."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra import notify as module
from infra.notify import Event, notify

EVENT = Event.now("release.blocked", "triage", "Blocked", "accuracy 61% < 80%", "warning", "sha256:ab")


class Receiver:
    """A real HTTP server that answers with the given statuses, then 200."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.bodies: list[dict[str, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.bodies.append(json.loads(body))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                self.send_response(status)
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cret-token"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    made = Receiver()
    monkeypatch.setenv("PAGER_URL", made.url)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.mark.parametrize(
    "reference", ["env:NOT_SET_ANYWHERE", "file:/nowhere", "http://pasted.example/token", ""]
)
def test_an_unusable_reference_is_reported_not_raised(reference: str) -> None:
    log, webhook = notify(reference, EVENT)
    assert log.delivered
    assert not webhook.delivered
    assert "pasted.example" not in webhook.detail


def test_a_secret_file_open_to_others_is_not_used(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("http://127.0.0.1:1/")
    file.chmod(0o644)
    assert not notify(f"file:{file}", EVENT)[1].delivered


def test_a_refused_event_is_not_sent_again(receiver: Receiver) -> None:
    receiver.statuses = [403]
    _, webhook = notify("env:PAGER_URL", EVENT)
    assert (webhook.delivered, len(receiver.bodies)) == (False, 1)
    assert "status 403" in webhook.detail


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [307]
    _, webhook = notify("env:PAGER_URL", EVENT)
    assert (webhook.delivered, len(receiver.bodies)) == (False, 1)


def test_a_receiver_that_stays_broken_is_given_up(receiver: Receiver) -> None:
    receiver.statuses = [500] * 9
    _, webhook = notify("env:PAGER_URL", EVENT)
    assert (webhook.delivered, len(receiver.bodies)) == (False, 3)


def test_nobody_listening_is_reported_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.01)
    monkeypatch.setenv("PAGER_URL", "http://127.0.0.1:1/s3cret-token")
    assert not notify("env:PAGER_URL", EVENT)[1].delivered


def test_what_may_heal_is_tried_again(receiver: Receiver) -> None:
    receiver.statuses = [503, 429]
    _, webhook = notify("env:PAGER_URL", EVENT)
    assert webhook.delivered
    assert len(receiver.bodies) == 3
    body = receiver.bodies[-1]
    assert body["text"] == "[triage] Blocked: accuracy 61% < 80% (sha256:ab)"
    assert (body["kind"], body["severity"], body["time"]) == ("release.blocked", "warning", EVENT.time)


@pytest.mark.parametrize("status", [200, 500])
def test_the_url_reaches_no_log(receiver: Receiver, caplog: pytest.LogCaptureFixture, status: int) -> None:
    receiver.statuses = [status] * 3
    with caplog.at_level(logging.DEBUG):
        _, webhook = notify("env:PAGER_URL", EVENT)
    assert "s3cret-token" not in caplog.text + webhook.detail


def test_without_a_webhook_the_log_has_it_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    event = Event.now("x", "triage", "Live", "first\nsecond", "info", "sha256:ab")
    with caplog.at_level(logging.INFO):
        (log,) = notify(None, event)
    assert log.delivered
    assert [record.getMessage() for record in caplog.records] == ["[triage] Live: first second (sha256:ab)"]
