"""One chat completion: key, limits, route, guard, model server, guard, answer, in this order.

Every step that fails ends the request; an error inside a guard counts as a block.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from infra.config.project import GatewaySettings
from infra.gateway.exchange import EVENTS, Exchange
from infra.gateway.keys import ALL_MODELS, STAGED, ApiKey, KeyStore
from infra.gateway.limits import RateLimiter
from infra.gateway.problems import Problem, unavailable
from infra.gateway.request_log import Line
from infra.gateway.table import RouteTable
from infra.gateway.trust import Refusal, Route
from infra.gateway.upstream import Piece, Upstream
from infra.guard import GuardVerdict
from infra.serving import wire
from infra.serving.wire import ChatRequest

GUARD_ERROR = "guard-error"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
log = logging.getLogger("assay.gateway")


@dataclass(frozen=True)
class Chat:
    """What answers chat completions."""

    settings: GatewaySettings
    keys: KeyStore
    table: RouteTable
    limiter: RateLimiter
    upstream: Upstream

    async def handle(self, exchange: Exchange, line: Line, started: float) -> None:
        """Answer one request and fill in its line of the log; raises Problem before the first byte."""
        key = self.authenticate(exchange)
        line.key = key.id
        body = await exchange.body(self.settings.max_body_bytes)
        try:
            request = wire.parse_request(body)
        except wire.BadRequest as error:
            raise Problem(400, "invalid", error.code, error.message, param=error.param) from error
        line.stream = bool(request.stream)
        route = self._route(key, request.model, line)
        exchange.add_header(b"x-assay-release", route.release)
        limit = self._limits(key, route, request)
        text = self._guarded_input(route, request.text)
        forwarded = _forward(route, text, limit, stream=line.stream)
        async with exchange.while_connected():
            if line.stream:
                await self._stream(exchange, line, route, request, forwarded, started)
            else:
                await self._whole(exchange, line, route, request, forwarded)

    def authenticate(self, exchange: Exchange) -> ApiKey:
        """The key of a request; raises Problem."""
        scheme, _, secret = exchange.header(b"authorization").partition(" ")
        key = self.keys.lookup(secret.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Problem(
                401, "denied", "invalid_api_key", "the API key is missing, unknown, revoked or expired"
            )
        return key

    def models(self, key: ApiKey) -> list[str]:
        """What a key may ask for: live models, and staged releases for those who test them."""
        routes = self.table.routes
        names = [n for n, r in routes.live.items() if isinstance(r, Route) and key.may_use(n)]
        if STAGED in key.scopes:
            names += [release for release, r in routes.staged.items() if isinstance(r, Route)]
        return names

    def _route(self, key: ApiKey, model: str, line: Line) -> Route:
        routes = self.table.routes
        if _DIGEST.fullmatch(model):
            found = routes.staged.get(model) if STAGED in key.scopes else None
        elif key.may_use(model):
            found = routes.live.get(model)
            if found is None and not routes.live:
                raise unavailable("no release is live", "no_release")
        elif ALL_MODELS in key.scopes or STAGED in key.scopes:
            found = None
        else:
            raise Problem(403, "denied", "model_denied", "this key may not use this model", param="model")
        if found is None:
            raise Problem(
                404, "invalid", "model_not_found", f"there is no model {model[:80]!r}", param="model"
            )
        line.model, line.release = model, found.release
        if isinstance(found, Refusal):
            raise unavailable(f"the release of this model is refused: {found.reason}", "release_refused")
        return found

    def _limits(self, key: ApiKey, route: Route, request: ChatRequest) -> int:
        """Most tokens of the answer; raises Problem when policy or rate forbid the request."""
        limits = route.access.grant(key.role, route.project)
        if limits is None:
            raise Problem(403, "denied", "role_denied", f"role {key.role!r} may not use this release")
        if wait_s := self.limiter.take(key.id, limits.requests_per_minute):
            message = f"more than {limits.requests_per_minute} requests per minute"
            raise Problem(429, "rate_limited", "rate_limit_exceeded", message, retry_after_s=wait_s)
        most = min(limits.max_tokens, self.settings.max_tokens)
        if request.limit is not None and request.limit > most:
            message = f"max_tokens: got {request.limit}, the limit is {most}"
            raise Problem(400, "invalid", "max_tokens_exceeded", message, param="max_tokens")
        return request.limit or most

    def _guarded_input(self, route: Route, text: str) -> str:
        try:
            verdict = route.guard.check_input(text)
        except Exception:
            log.exception("input guard failed: the request is blocked")
            verdict = GuardVerdict(False, GUARD_ERROR, None, "")
        if not verdict.allowed:
            message = f"the request was stopped by guard rule {verdict.rule} ({verdict.risk})"
            raise Problem(
                400, "blocked_input", "content_filter", message, param="messages", rule=verdict.rule
            )
        if not verdict.text_after_redaction.strip():
            raise Problem(400, "invalid", "empty_text", "the message holds no visible text", param="messages")
        return verdict.text_after_redaction

    async def _whole(
        self, exchange: Exchange, line: Line, route: Route, request: ChatRequest, forwarded: bytes
    ) -> None:
        piece = await self.upstream.complete(forwarded)
        _count(line, piece)
        try:
            verdict = route.guard.check_output(piece.text)
        except Exception:
            log.exception("output guard failed: the answer is blocked")
            verdict = GuardVerdict(False, GUARD_ERROR, None, "")
        finish: wire.FinishReason = piece.finish or "stop"
        if not verdict.allowed:
            finish = "content_filter"
            line.outcome, line.rule = "blocked_output", verdict.rule
        else:
            line.outcome = "ok"
        line.status = 200
        usage = piece.usage or wire.Usage(0, 0)
        text = verdict.text_after_redaction
        await exchange.answer(200, wire.completion(_name(line), request.model, text, finish, usage))

    async def _stream(
        self,
        exchange: Exchange,
        line: Line,
        route: Route,
        request: ChatRequest,
        forwarded: bytes,
        started: float,
    ) -> None:
        name, model = _name(line), request.model
        guard = route.guard.stream()
        finish: wire.FinishReason = "stop"
        async with self.upstream.stream(forwarded) as pieces:
            async for piece in pieces:
                _count(line, piece)
                finish = piece.finish or finish
                shown = _guarded(line, guard.feed, piece.text)
                if shown:
                    await _show(exchange, line, name, model, shown, started)
                if guard.blocked or line.rule is not None:
                    break
            else:
                if rest := _guarded(line, lambda _: guard.finish(), ""):
                    await _show(exchange, line, name, model, rest, started)
        if guard.blocked or line.rule is not None:
            finish, line.outcome = "content_filter", "blocked_output"
            line.rule = line.rule or (guard.verdict.rule if guard.verdict else None)
        else:
            line.outcome = "ok"
        line.status = 200
        last = wire.chunk(name, model, finish=finish, first=not exchange.started)
        if not exchange.started:
            await exchange.start(200, EVENTS, _NO_CACHE)
        if request.wants_usage:
            last += wire.usage_chunk(
                name, model, wire.Usage(line.prompt_tokens or 0, line.completion_tokens or 0)
            )
        await exchange.send(last + wire.DONE, more=False)


_NO_CACHE = [(b"cache-control", b"no-store")]


async def _show(exchange: Exchange, line: Line, name: str, model: str, text: str, started: float) -> None:
    first = not exchange.started
    if first:
        line.ttft_ms = round((time.perf_counter() - started) * 1000, 3)
        line.status = 200
        await exchange.start(200, EVENTS, _NO_CACHE)
    await exchange.send(wire.chunk(name, model, text, first=first), more=True)


def _guarded(line: Line, step: Callable[[str], str], text: str) -> str:
    try:
        return step(text)
    except Exception:
        log.exception("stream guard failed: the answer is blocked")
        line.rule = GUARD_ERROR
        return ""


def _count(line: Line, piece: Piece) -> None:
    if piece.usage is not None:
        line.prompt_tokens = piece.usage.prompt_tokens
        line.completion_tokens = piece.usage.completion_tokens


def _name(line: Line) -> str:
    return f"chatcmpl-{line.id}"


def _forward(route: Route, text: str, limit: int, *, stream: bool) -> bytes:
    """The request that the model server gets: built anew, so nothing of the client's body goes through."""
    body: dict[str, object] = {
        "model": route.release,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": limit,
    }
    if stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    return msgspec.json.encode(body)
