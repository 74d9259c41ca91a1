"""A proxy of real sockets before an S3 service: what networks and services do wrong, on demand.

proxy.faults.append(Fault("GET", "objects/", cut(after=1000), times=2))
proxy.seen                      # "GET /bucket/prefix/objects/…", in order
"""

import http.client
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "expect"}


@dataclass(frozen=True)
class Answer:
    """What the service said, or what the proxy says in its place."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """One request: forwarded, unless a fault has it."""

    protocol_version = "HTTP/1.1"
    server: "Proxy"

    def log_message(self, *_arguments: Any) -> None: ...

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.take(self.command, self.path, body)
        if fault is None:
            self.reply(self.forward(body))
        else:
            fault.act(self, body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

    def forward(self, body: bytes, *, without: tuple[str, ...] = ()) -> Answer:
        """The service's answer; `without` names headers that do not reach it."""
        left_out = _OF_ONE_HOP | {name.lower() for name in without}
        headers = {k: v for k, v in self.headers.items() if k.lower() not in left_out}
        connection = http.client.HTTPConnection(*self.server.upstream, timeout=60)
        try:
            connection.request(self.command, self.path, body=body, headers=headers)
            answer = connection.getresponse()
            kept = {k: v for k, v in answer.getheaders() if k.lower() not in _OF_ONE_HOP}
            length = answer.getheader("Content-Length") if self.command == "HEAD" else None
            return Answer(answer.status, kept | ({"Content-Length": length} if length else {}), answer.read())
        finally:
            connection.close()

    def reply(self, answer: Answer, *, only: int | None = None) -> None:
        """Send it, or only so many bytes of its body before the connection is cut."""
        self.send_response_only(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body if only is None else answer.body[:only])
        if only is not None:
            self.hang_up()

    def hang_up(self) -> None:
        """Cut the connection."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def wait(self) -> None:
        """Say nothing until the client has gone, a minute at most."""
        self.server.hung.set()
        self.connection.settimeout(60)
        self.rfile.read(1)


Act = Callable[[Handler, bytes], None]


@dataclass
class Fault:
    """What happens to the next `times` requests of a method whose path matches."""

    method: str
    path: str
    act: Act
    times: int = 1
    body: bytes = b""
    """A request counts only when its body is this; empty: any."""

    def concerns(self, method: str, path: str, body: bytes) -> bool:
        return self.method == method and re.search(self.path, path) is not None and self.body in (b"", body)


def answer(status: int, code: str) -> Act:
    """The service refuses."""
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()

    def act(handler: Handler, _body: bytes) -> None:
        handler.reply(Answer(status, {"Content-Type": "application/xml"}, body))

    return act


def lose_reply(handler: Handler, body: bytes) -> None:
    """The request is done, nobody hears of it."""
    handler.forward(body)
    handler.hang_up()


def cut(after: int) -> Act:
    """The connection breaks in the middle of the answer's body."""
    return lambda handler, body: handler.reply(handler.forward(body), only=after)


def shorten(by: int) -> Act:
    """Bytes are missing, and the length says nothing of it."""

    def act(handler: Handler, body: bytes) -> None:
        found = handler.forward(body)
        handler.reply(Answer(found.status, found.headers, found.body[:-by]))

    return act


def flip(handler: Handler, body: bytes) -> None:
    """One byte of the answer is another, and no checksum tells."""
    found = handler.forward(body)
    headers = {k: v for k, v in found.headers.items() if "checksum" not in k.lower()}
    middle = len(found.body) // 2
    wrong = bytes([found.body[middle] ^ 1])
    handler.reply(Answer(found.status, headers, found.body[:middle] + wrong + found.body[middle + 1 :]))


def drop_header(*names: str) -> Act:
    """The service does not know a header."""
    return lambda handler, body: handler.reply(handler.forward(body, without=names))


class Proxy(ThreadingHTTPServer):
    """Listens on a free port of this machine; faults are taken in order."""

    daemon_threads = True

    def __init__(self, upstream: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.hung = threading.Event()
        """Set by a fault that lets a client wait."""
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_arguments: Any) -> None:
        """A client that was killed is part of the tests."""

    def take(self, method: str, path: str, body: bytes) -> Fault | None:
        with self._lock:
            self.seen.append(f"{method} {path}")
            for fault in self.faults:
                if fault.times and fault.concerns(method, path, body):
                    fault.times -= 1
                    return fault
        return None

    def count(self, method: str, path: str = "") -> int:
        """How many requests of a method went to such a path."""
        return sum(bool(re.search(f"^{method} .*{path}", each)) for each in self.seen)
