"""A target as the OpenAI-compatible endpoint that garak asks, on a free port of the loopback address.

with Relay() as relay:
    relay.url, relay.token            # for garak's configuration and environment
    relay.serve(target, wait_s=0.2)      # answers what has come, in one batch, in this thread

garak takes HTTP 400 for "no answer" and leaves it out of the count, and it asks again for ever after a 429,
a 5xx or a lost connection. Neither is what happened when a guard stops an attack, or when a target breaks.
Here a stopped attack is answered with `STOPPED`, a miss; an error of the target ends the run.
"""

import hmac
import json
import queue
import secrets
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from infra.serving import wire
from tasks.validate.targets import Conversation, Reply, Target

STOPPED = "I cannot help with that."
"""What garak reads where the guard stopped an attack; no detector that counts takes it for a hit."""
MODEL = "target"
_MOST_BATCH = 16
_MOST_BODY_BYTES = 4 << 20


@dataclass
class _Asked:
    conversation: Conversation
    reply: "Future[Reply]" = field(default_factory=Future)


class Relay:
    """The server; requests wait until `serve` is called, so that the target works in the caller's thread."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.answered = 0
        """Requests that the target answered or stopped."""
        self._inbox: queue.SimpleQueue[_Asked] = queue.SimpleQueue()
        self._closed = threading.Event()
        handler = _handler(self._inbox, self.token, self._closed)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL, as OpenAI clients take it."""
        return f"http://127.0.0.1:{self._server.server_port}/v1/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        for asked in self._waiting():
            asked.reply.cancel()

    def serve(self, target: Target, *, wait_s: float) -> None:
        """Wait so long for a request, then answer all that have come; raises what the target raises."""
        try:
            batch = [self._inbox.get(timeout=wait_s)]
        except queue.Empty:
            return
        batch += self._waiting(_MOST_BATCH - 1)
        try:
            replies = target.ask([asked.conversation for asked in batch])
            for asked, reply in zip(batch, replies, strict=True):
                asked.reply.set_result(reply)
                self.answered += 1
        finally:
            for asked in batch:
                asked.reply.cancel()  # does nothing to those that have their answer

    def _waiting(self, most: int = 1 << 30) -> list[_Asked]:
        taken: list[_Asked] = []
        while len(taken) < most:
            try:
                taken.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        return taken


def conversation_of(body: bytes) -> list[dict[str, str]]:
    """Role and content of every message in a request; raises ValueError for anything else.

    Sampling settings are left out: the target answers as it is served, whatever a client asks for.
    """
    document = json.loads(body)
    messages = document.get("messages") if isinstance(document, Mapping) else None
    if not isinstance(messages, list) or not messages:
        raise ValueError("no messages")
    conversation = []
    for message in messages:
        role, content = message.get("role"), message.get("content")
        if not isinstance(role, str) or not isinstance(content, str):
            raise ValueError("a message without role or text")
        conversation.append({"role": role, "content": content})
    return conversation


def completion_of(reply: Reply) -> bytes:
    """The answer on the wire; a stopped request is answered with `STOPPED`."""
    if reply.blocked_by is not None:
        return wire.completion("chatcmpl-garak", MODEL, STOPPED, "content_filter", wire.Usage(0, 0))
    return wire.completion("chatcmpl-garak", MODEL, reply.text, "stop", wire.Usage(0, 0))


def _handler(
    inbox: "queue.SimpleQueue[_Asked]", token: str, closed: threading.Event
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Requests are not logged: they are attacks."""

        def do_GET(self) -> None:  # garak looks whether somebody is there
            self._answer(200, b"{}")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > _MOST_BODY_BYTES:
                self.close_connection = True
                self._answer(413, wire.error_body("too large", "invalid_request_error", "too_large"))
                return
            body = self.rfile.read(int(length))
            known = hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {token}")
            if not known:
                self._answer(401, wire.error_body("wrong token", "authentication_error", "invalid_api_key"))
                return
            try:
                asked = _Asked(conversation_of(body))
            except (ValueError, AttributeError) as error:
                self._answer(400, wire.error_body(str(error), "invalid_request_error", "invalid_request"))
                return
            inbox.put(asked)
            if closed.is_set():  # too late: nobody looks into the inbox any more
                asked.reply.cancel()
            try:
                self._answer(200, completion_of(asked.reply.result()))
            except CancelledError:
                self.close_connection = True

        def _answer(self, status: int, body: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

    return Handler
