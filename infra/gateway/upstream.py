"""The model server as the gateway's client sees it: whole answers and pieces, nothing else passed on.

Only text, finish reason and token counts are read. Whatever else a server sends (tool calls, log
probabilities, further choices) would go around the guard.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec

from infra.gateway.problems import Problem, unavailable
from infra.serving.wire import ENDPOINT, FinishReason, Usage


class Piece(msgspec.Struct, frozen=True):
    """Text of an answer, how it ended, what it cost: each may be absent."""

    text: str = ""
    finish: FinishReason | None = None
    usage: Usage | None = None


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Text = msgspec.field(default_factory=_Text)
    delta: _Text = msgspec.field(default_factory=_Text)
    finish_reason: str | None = None


class _Counts(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int


class _Body(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Counts | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Body).decode


class Upstream:
    """One OpenAI-compatible server; create it inside a running event loop."""

    def __init__(self, base_url: str, token: str, timeout_s: float) -> None:
        self._url = base_url.rstrip("/") + ENDPOINT
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(timeout_s, 5.0)),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def complete(self, body: bytes) -> Piece:
        """A whole answer; raises Problem."""
        async with self._open(body) as response:
            return _piece(await response.read(), whole=True)

    @asynccontextmanager
    async def stream(self, body: bytes) -> AsyncIterator[AsyncIterator[Piece]]:
        """The pieces of an answer as they come; leaving the block early stops the server's work.

        Raises Problem, on entering or in the middle.
        """
        async with self._open(body) as response:
            yield _pieces(response)

    @asynccontextmanager
    async def _open(self, body: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            response = await self._post(body)
            try:
                if response.status != 200:
                    raise await _refused(response)
                yield response
            finally:
                # Not release(): an answer that nobody reads to its end must stop the server's work.
                response.close() if not response.content.is_eof() else response.release()
        except TimeoutError as error:
            raise Problem(
                504, "upstream_error", "timeout", "the model server did not answer in time"
            ) from error
        except (aiohttp.ClientError, ValueError) as error:
            raise unavailable(f"the model server does not answer: {type(error).__name__}") from error

    async def _post(self, body: bytes) -> aiohttp.ClientResponse:
        try:
            return await self._session.post(self._url, data=body)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            # A kept connection that the server had closed meanwhile; nothing was answered yet.
            return await self._session.post(self._url, data=body)


async def _pieces(response: aiohttp.ClientResponse) -> AsyncIterator[Piece]:
    done = False
    async for line in response.content:  # to the very end, so that the connection can be used again
        if not line.startswith(b"data:") or done:
            continue
        data = line[5:].strip()
        if data == b"[DONE]":
            done = True
        else:
            yield _piece(data, whole=False)
    if not done:
        raise unavailable("the model server ended its answer in the middle")


def _piece(data: bytes, *, whole: bool) -> Piece:
    try:
        body = _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise unavailable("the model server sent something that is not an answer") from error
    if body.error is not None or (whole and not body.choices):
        raise unavailable("the model server failed in the middle of its answer")
    usage = Usage(body.usage.prompt_tokens, body.usage.completion_tokens) if body.usage else None
    choice = next((choice for choice in body.choices if choice.index == 0), None)
    if choice is None:
        return Piece(usage=usage)
    text = (choice.message if whole else choice.delta).content or ""
    return Piece(text, _FINISHES.get(choice.finish_reason, "stop"), usage)


_FINISHES: dict[str | None, FinishReason | None] = {
    None: None,
    "length": "length",
    "content_filter": "content_filter",
}


async def _refused(response: aiohttp.ClientResponse) -> Problem:
    try:
        error = msgspec.json.decode(await response.content.read(65_536))["error"]
        message, code, param = str(error["message"]), str(error.get("code")), error.get("param")
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, TimeoutError):
        message, code, param = "", "upstream_error", None
    if response.status == 400:
        return Problem(400, "invalid", code, message, param=param)
    if response.status == 429:
        return Problem(429, "rate_limited", "overloaded", "the model server is busy", retry_after_s=1)
    return unavailable(f"the model server answered {response.status}: {message}")
