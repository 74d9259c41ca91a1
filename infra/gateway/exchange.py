"""The ASGI side of one request: body in with limits, answer out, and noticing that the client left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from infra.gateway.problems import Problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_BODY_TIMEOUT_S = 15.0
JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"


class ClientGone(Exception):
    """The client closed the connection before it had its answer."""


class Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self._receive, self._send = receive, send
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._fixed = [(b"x-request-id", request_id.encode())]
        self.started = False
        """Whether the answer's first byte is out: from then on no status can tell of a failure."""

    def header(self, name: bytes) -> str:
        """A request header, or empty."""
        return next((value.decode("latin-1") for key, value in self._headers if key == name), "")

    def add_header(self, name: bytes, value: str) -> None:
        """A header that every answer to this request carries from now on."""
        self._fixed.append((name, value.encode("latin-1")))

    async def body(self, most_bytes: int) -> bytes:
        """The whole body; raises Problem when it is too large or too slow, ClientGone."""
        too_large = Problem(413, "invalid", "too_large", f"the body is larger than {most_bytes} bytes")
        length = self.header(b"content-length")
        if length.isdigit() and int(length) > most_bytes:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    part = message.get("body", b"")
                    size += len(part)
                    if size > most_bytes:
                        raise too_large
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError as error:
            raise Problem(408, "invalid", "timeout", "the body did not arrive in time") from error

    @asynccontextmanager
    async def while_connected(self) -> AsyncIterator[None]:
        """Cancel the block when the client goes away, and raise ClientGone; the body must have been read."""
        work = asyncio.current_task()
        assert work is not None
        gone = False

        async def watch() -> None:
            nonlocal gone
            while (await self._receive())["type"] != "http.disconnect":
                pass
            gone = True
            work.cancel()

        watcher = asyncio.create_task(watch())
        try:
            yield
        except asyncio.CancelledError:
            if gone and work.uncancel() == 0:
                raise ClientGone from None
            raise
        finally:
            watcher.cancel()

    async def start(self, status: int, kind: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        """Status and headers."""
        self.started = True
        fields = [(b"content-type", kind), *self._fixed, *(headers or [])]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def send(self, data: bytes, *, more: bool) -> None:
        """A part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": more})

    async def answer(
        self, status: int, data: bytes, kind: bytes = JSON, headers: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        """A whole answer."""
        length = (b"content-length", str(len(data)).encode())
        await self.start(status, kind, [length, *(headers or [])])
        await self.send(data, more=False)
