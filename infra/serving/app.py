"""The model server's HTTP face: OpenAI's chat completions, and loading of releases, behind one token."""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from infra.config.project import ServingSettings
from infra.digest import hex_of
from infra.errors import AssayError, IntegrityError, Unavailable
from infra.gateway.routes import read_snapshot
from infra.serving import wire
from infra.serving.job import Job
from infra.serving.releases import Releases
from infra.serving.scheduler import QueueFullError, Scheduler

_MOST_BODY_BYTES = 1 << 20
log = logging.getLogger("assay.serving")
Handler = Callable[[Request], Awaitable[Response]]


class ModelServer:
    """Scheduler, releases and handlers of one process."""

    def __init__(self, releases: Releases, settings: ServingSettings, token: str, routes: Path) -> None:
        self.releases, self.settings, self.routes = releases, settings, routes
        self.booted = False
        self._token = token.encode()
        self._registry = CollectorRegistry()
        self._requests = Counter("assay_serving_requests", "Requests", ["status"], registry=self._registry)
        self._tokens = Counter("assay_serving_tokens", "Tokens", ["type"], registry=self._registry)
        self._batches = Histogram(
            "assay_serving_batch_size",
            "Jobs in a batch",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self._registry,
        )
        self._gauges = {
            "waiting": Gauge("assay_serving_waiting", "Queued requests", registry=self._registry),
            "resident": Gauge("assay_serving_releases", "Loaded releases", registry=self._registry),
            "refused": Gauge("assay_serving_releases_refused", "Refused releases", registry=self._registry),
        }
        self.scheduler = Scheduler(
            max_batch=settings.max_batch,
            window_s=settings.batch_window_ms / 1000,
            max_queue=settings.max_queue,
            on_batch=self._batches.observe,
        )

    def application(self) -> Starlette:
        """The ASGI application."""
        inside = self._guarded
        return Starlette(
            routes=[
                Route("/health/live", self._live),
                Route("/health/ready", self._ready),
                Route("/metrics", inside(self._metrics)),
                Route("/v1/models", inside(self._models)),
                Route(wire.ENDPOINT, inside(self._chat), methods=["POST"]),
                Route("/internal/releases", inside(self._list)),
                Route("/internal/releases", inside(self._load), methods=["POST"]),
                Route("/internal/releases/{release}", inside(self._unload), methods=["DELETE"]),
            ],
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _application: Starlette) -> AsyncIterator[None]:
        self.scheduler.start()
        boot = asyncio.create_task(asyncio.to_thread(self._boot))
        yield
        boot.cancel()
        await asyncio.to_thread(self.scheduler.stop)

    def _boot(self) -> None:
        try:
            snapshot = read_snapshot(self.routes, self.releases.home / "keys" / "signing.pub")
            # What clients ask for comes first: it answers while the others are still loading.
            self.releases.load_all([*snapshot.models.values(), *snapshot.resident])
        except IntegrityError as error:
            log.error("no release is loaded: %s", error.message)
        self.booted = True

    def _guarded(self, handler: Handler) -> Handler:
        """`handler` for those who know the token; what goes wrong becomes an error object."""

        async def guarded(request: Request) -> Response:
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            known = hmac.compare_digest(token.strip().encode(), self._token)
            if scheme.lower() != "bearer" or not known:
                return _error(401, "invalid_token", "the internal token is missing or wrong")
            try:
                response = await handler(request)
            except wire.BadRequest as error:
                response = _error(400, error.code, error.message, error.param)
            except QueueFullError as error:
                response = _error(429, "overloaded", error.message, headers={"Retry-After": "1"})
            except Unavailable as error:
                response = _error(503, "unavailable", error.message)
            except ClientDisconnect:
                response = Response(status_code=499)
            except Exception:
                log.exception("%s %s failed", request.method, request.url.path)
                response = _error(500, "internal", "the model server failed")
            if request.url.path == wire.ENDPOINT:
                self._requests.labels(str(response.status_code)).inc()
            return response

        return guarded

    async def _live(self, _request: Request) -> Response:
        return _json({"status": "live"})

    async def _ready(self, _request: Request) -> Response:
        body = {"status": "ready" if self.booted else "loading", "releases": len(self.releases.resident)}
        return _json(body, 200 if self.booted else 503)

    async def _metrics(self, _request: Request) -> Response:
        self._gauges["waiting"].set(self.scheduler.waiting)
        self._gauges["resident"].set(len(self.releases.resident))
        self._gauges["refused"].set(len(self.releases.refused))
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")

    async def _models(self, _request: Request) -> Response:
        data = [
            {"id": release, "object": "model", "created": 0, "owned_by": each.project}
            for release, each in self.releases.resident.items()
        ]
        return _json({"object": "list", "data": data})

    async def _list(self, _request: Request) -> Response:
        resident = [
            {"release": release, "project": each.project, "state": "loaded", "load_s": each.load_s}
            for release, each in self.releases.resident.items()
        ]
        refused = [
            {"release": release, "state": "refused", "reason": reason}
            for release, reason in self.releases.refused.items()
        ]
        return _json({"releases": [*resident, *refused]})

    async def _load(self, request: Request) -> Response:
        try:
            body = msgspec.json.decode(await _body(request), type=dict[str, str])
            release = body["release"]
            hex_of(release)
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, IntegrityError) as error:
            return _error(400, "invalid_request", f'expected {{"release": "sha256:…"}}: {error}')
        try:
            loaded = await asyncio.to_thread(self.releases.load, release)
        except MemoryError:
            return _error(507, "no_memory", f"no memory for {release}: unload another release")
        except Unavailable:
            raise
        except AssayError as error:
            return _error(422, "release_refused", error.message)
        return _json(
            {"release": release, "project": loaded.project, "state": "loaded", "load_s": loaded.load_s}
        )

    async def _unload(self, request: Request) -> Response:
        release = request.path_params["release"]
        if not self.releases.unload(release):
            return _error(404, "release_not_found", f"{release} is not loaded")
        return _json({"release": release, "state": "unloaded"})

    async def _chat(self, request: Request) -> Response:
        asked = wire.parse_request(await _body(request))
        resident = self.releases.resident.get(asked.model)
        if resident is None:
            reason = self.releases.refused.get(asked.model, "it is not loaded")
            return _error(404, "model_not_found", f"{asked.model[:80]}: {reason}", "model")
        prompt = resident.decoder.encode(asked.text)
        if len(prompt) > self.settings.max_prompt_tokens:
            message = f"the prompt has {len(prompt)} tokens, the limit is {self.settings.max_prompt_tokens}"
            raise wire.BadRequest(message, param="messages", code="context_length_exceeded")
        limits = (asked.limit, resident.decoder.most_tokens, self.settings.max_new_tokens)
        most = min(limit for limit in limits if limit is not None)
        job = Job(prompt, most)
        self.scheduler.submit(resident.decoder, job)
        if asked.stream:
            return StreamingResponse(
                self._events(job, asked),
                media_type="text/event-stream",
                headers={"Cache-Control": "no-store"},
            )
        return await self._whole(request, job, asked)

    async def _whole(self, request: Request, job: Job, asked: wire.ChatRequest) -> Response:
        gone = asyncio.create_task(_until_gone(request))
        answer = asyncio.create_task(_collect(job))
        try:
            await asyncio.wait({gone, answer}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise ClientDisconnect
            text, finish = answer.result()
        finally:
            job.cancel()
            gone.cancel()
            answer.cancel()
        data = wire.completion(_name(job), asked.model, text, finish, self._usage(job))
        return Response(data, media_type="application/json")

    async def _events(self, job: Job, asked: wire.ChatRequest) -> AsyncIterator[bytes]:
        name, first = _name(job), True
        try:
            async for piece in job.pieces():
                yield wire.chunk(name, asked.model, piece.text, piece.finish, first=first)
                first = False
            if asked.wants_usage:
                yield wire.usage_chunk(name, asked.model, self._usage(job))
            yield wire.DONE
        except Exception:
            log.exception("a stream failed")
            yield (
                wire.event(wire.error_body("the model server failed", "server_error", "internal")) + wire.DONE
            )
        finally:
            job.cancel()  # also when the client went away: the batch goes on without this row

    def _usage(self, job: Job) -> wire.Usage:
        usage = wire.Usage(len(job.prompt), len(job.tokens))
        self._tokens.labels("input").inc(usage.prompt_tokens)
        self._tokens.labels("output").inc(usage.completion_tokens)
        return usage


async def _body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > _MOST_BODY_BYTES:
            raise wire.BadRequest(f"the body is larger than {_MOST_BODY_BYTES} bytes", code="too_large")
        parts.append(part)
    return b"".join(parts)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _collect(job: Job) -> tuple[str, wire.FinishReason]:
    text, finish = "", None
    async for piece in job.pieces():
        text, finish = text + piece.text, piece.finish
    return text, finish or "stop"


def _name(job: Job) -> str:
    return f"chatcmpl-{id(job):x}"


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def _error(
    status: int, code: str, message: str, param: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return Response(wire.error_body(message, kind, code, param), status, headers, "application/json")
