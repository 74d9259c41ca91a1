"""A private Sigstore over HTTP on this machine alone, in a thread: started in milliseconds.

with serving() as instance:
    Path("trust-config.json").write_text(json.dumps(instance.trust_config()))
    token = instance.issuer.token("ann@example.com")

What was signed can be verified when it is gone: the trust configuration is enough.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from infra.errors import ConfigError
from infra.sigstore_dev.clock import Clock, system_clock
from infra.sigstore_dev.instance import Answer, Instance, refusal
from infra.sigstore_dev.submissions import MOST_BYTES

HOST: Final = "127.0.0.1"
_BEARER = "Bearer "


@contextlib.contextmanager
def serving(port: int = 0, clock: Clock = system_clock) -> Iterator[Instance]:
    """An instance that answers on `port` (0: any free one) until the block ends.

    Raises ConfigError when the port cannot be used.
    """
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        raise ConfigError(
            f"port {port}: {error.strerror}", hint="choose another one with --port, or 0 for any"
        ) from error
    with server:
        server.instance = Instance(f"http://{HOST}:{server.server_port}", clock)
        # A short poll: shutdown waits for it.
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.instance
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection open
    instance: Instance

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none; anything else is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds without a byte, after which the connection ends

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._refuse(411, "send the body with its length")
        elif int(length) > MOST_BYTES:
            self._refuse(413, f"at most {MOST_BYTES} bytes")
        else:
            self._serve("POST", self.rfile.read(int(length)))

    def _serve(self, method: str, body: bytes) -> None:
        authorization = self.headers.get("Authorization", "")
        bearer = authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else ""
        self._send(self.server.instance.answer(method, self.path, body, bearer))

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True  # what comes next may be the body
        self._send(refusal(status, message))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Nothing: requests carry tokens."""
