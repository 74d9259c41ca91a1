"""The gateway as an ASGI application: paths, health, and one line of the log for each chat request."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from infra.config.project import GatewaySettings
from infra.errors import IntegrityError
from infra.gateway import metrics
from infra.gateway.chat import Chat
from infra.gateway.exchange import ClientGone, Exchange, Receive, Scope, Send
from infra.gateway.keys import KeyStore
from infra.gateway.limits import RateLimiter
from infra.gateway.problems import Problem, unavailable
from infra.gateway.request_log import Line, RequestLog
from infra.gateway.table import RouteTable
from infra.gateway.trust import Trust
from infra.gateway.upstream import Upstream
from infra.serving.wire import DONE, ENDPOINT, event

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
log = logging.getLogger("assay.gateway")


class Gateway:
    """Everything of one gateway process; `make_upstream` runs inside the event loop."""

    def __init__(
        self, home: Path, trust: Trust, settings: GatewaySettings, make_upstream: Callable[[], Upstream]
    ) -> None:
        self.keys = KeyStore(home / "keys" / "gateway-keys.json")
        self.table = RouteTable(home / "run" / "routes.json", trust)
        self.request_log = RequestLog(home / "audit")
        self.metrics = metrics.Metrics()
        self._settings = settings
        self._make_upstream = make_upstream
        self._chat: Chat | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            raise RuntimeError(f"the gateway does not serve {scope['type']}")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self.request_log.start()
        upstream = self._make_upstream()
        self._chat = Chat(self._settings, self.keys, self.table, RateLimiter(), upstream)
        self._watcher = asyncio.create_task(self.table.watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._watcher.cancel()
        await upstream.close()
        await asyncio.to_thread(self.request_log.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        request_id = _request_id(scope)
        exchange = Exchange(scope, receive, send, request_id)
        if path == ENDPOINT and method == "POST":
            await self._chat_request(exchange, request_id)
            return
        try:
            await self._other(exchange, path, method)
        except Problem as problem:
            await exchange.answer(problem.status, problem.body(), headers=problem.headers())

    async def _other(self, exchange: Exchange, path: str, method: str) -> None:
        known = {
            "/health/live": self._live,
            "/health/ready": self._ready,
            "/metrics": self._metrics,
            "/v1/models": self._models,
        }
        if path in known and method == "GET":
            await known[path](exchange)
        elif path in known or path == ENDPOINT:
            raise Problem(405, "invalid", "method_not_allowed", f"{method} is not served here")
        else:
            raise Problem(404, "invalid", "unknown_path", "there is nothing at this path")

    async def _chat_request(self, exchange: Exchange, request_id: str) -> None:
        started = time.perf_counter()
        line = Line(datetime.now(UTC), request_id)
        try:
            if self._chat is None or not self.request_log.admits():
                raise unavailable(
                    "requests cannot be recorded at the moment, so none is served", "log_behind"
                )
            await self._chat.handle(exchange, line, started)
        except Problem as problem:
            line.outcome, line.status, line.rule = problem.outcome, problem.status, problem.rule
            await _tell(exchange, problem)
        except ClientGone:
            line.outcome, line.status = "client_gone", 499
        except asyncio.CancelledError:
            line.outcome, line.status = "upstream_error", 503
            raise
        except Exception:
            log.exception("request %s failed", request_id)
            line.outcome, line.status = "upstream_error", 500
            await _tell(exchange, Problem(500, "upstream_error", "internal", "the gateway failed"))
        finally:
            line.latency_ms = round((time.perf_counter() - started) * 1000, 3)
            known = line.model if line.model in self.table.routes.live else None
            self.metrics.observe(line, known or ("staged" if line.model else metrics.UNKNOWN_MODEL))
            self.request_log.write(line)

    async def _live(self, exchange: Exchange) -> None:
        await exchange.answer(200, b'{"status":"live"}')

    async def _ready(self, exchange: Exchange) -> None:
        """Whether requests can be checked and recorded; also says which generation is in force."""
        routes = self.table.routes
        problems = [] if self.table.ready else [self.table.problem]
        if not self.request_log.admits():
            problems.append(f"request log: {self.request_log.failure or 'behind'}")
        try:
            self.keys.check()
        except IntegrityError as error:
            problems.append(error.message)
        body = {
            "status": "not ready" if problems else "ready",
            "problems": problems,
            "generation": routes.snapshot.generation,
            "models": routes.snapshot.models,
            "refused": routes.refusals,
            "note": self.table.problem,
        }
        await exchange.answer(503 if problems else 200, msgspec.json.encode(body))

    async def _metrics(self, exchange: Exchange) -> None:
        routes = self.table.routes
        self.metrics.generation.set(routes.snapshot.generation)
        self.metrics.refused.set(len(routes.refusals))
        self.metrics.log_waiting.set(self.request_log.waiting)
        await exchange.answer(200, self.metrics.expose(), metrics.CONTENT_TYPE.encode())

    async def _models(self, exchange: Exchange) -> None:
        if self._chat is None:
            raise unavailable("the gateway is starting")
        names = self._chat.models(self._chat.authenticate(exchange))
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "assay"} for name in names]
        await exchange.answer(200, msgspec.json.encode({"object": "list", "data": data}))


async def _tell(exchange: Exchange, problem: Problem) -> None:
    """Say what went wrong: as a status, or, when the answer has begun, as the stream's last event."""
    with suppress(OSError):
        if not exchange.started:
            await exchange.answer(problem.status, problem.body(), headers=problem.headers())
        else:
            await exchange.send(event(problem.body()) + DONE, more=False)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(text := value.decode("latin-1")):
            return str(text)
    return secrets.token_hex(12)
