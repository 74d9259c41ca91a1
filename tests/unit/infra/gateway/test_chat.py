"""A guard that fails blocks: no text passes because something broke."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.config.project import GatewaySettings
from infra.gateway.access import AccessPolicy
from infra.gateway.chat import Chat
from infra.gateway.exchange import Exchange
from infra.gateway.keys import KeyStore
from infra.gateway.limits import RateLimiter
from infra.gateway.problems import Problem
from infra.gateway.request_log import Line
from infra.gateway.routes import RouteSnapshot
from infra.gateway.table import RouteTable
from infra.gateway.trust import Route, Routes, Trust
from infra.gateway.upstream import Piece
from infra.guard import GuardPolicy
from infra.ledger import Ledger
from infra.signing import TrustRoot

CONFIGS = Path(__file__).parents[4] / "configs"
RELEASE = "sha256:" + "1" * 64
GUARD = GuardPolicy.from_yaml((CONFIGS / "guard.yaml").read_bytes())
# An input that raises nothing (the rules are whole) and an answer whose check raises.
BROKEN_OUTPUT = replace(GUARD, output_rules=None)  # type: ignore[arg-type]  # broken on purpose
BROKEN_INPUT = replace(GUARD, input_rules=None)  # type: ignore[arg-type]  # broken on purpose


class Answers:
    """A model server that says the same words to everybody."""

    asked = 0

    async def complete(self, _body: bytes) -> Piece:
        self.asked += 1
        return Piece("impact", "stop")

    @asynccontextmanager
    async def stream(self, _body: bytes) -> AsyncIterator[AsyncIterator[Piece]]:
        self.asked += 1

        async def pieces() -> AsyncIterator[Piece]:
            for _ in range(100):
                yield Piece("some words ")
            yield Piece(finish="stop")

        yield pieces()


def _no_trust() -> TrustRoot:
    raise AssertionError("routes are given, nothing is admitted")


class Conversation:
    """One request to a Chat with a given guard, and what came back."""

    def __init__(self, home: Path, guard: GuardPolicy, *, stream: bool) -> None:
        keys = KeyStore(home / "keys.json")
        secret = keys.create("test", ["models"])[1]
        access = AccessPolicy.from_yaml((CONFIGS / "access.yaml").read_bytes())
        table = RouteTable(
            home / "routes.json", Trust(home, _no_trust, Ledger(f"sqlite:///{home / 'ledger.db'}"))
        )
        route = Route("triage", RELEASE, guard, access)
        table.routes = Routes(RouteSnapshot(1, {"triage": RELEASE}, (), (RELEASE,)), {"triage": route})
        self.upstream = Answers()
        self.chat = Chat(GatewaySettings(), keys, table, RateLimiter(), self.upstream)  # type: ignore[arg-type]
        body = {"model": "triage", "messages": [{"role": "user", "content": "A report."}], "stream": stream}
        self.incoming = [{"type": "http.request", "body": json.dumps(body).encode()}]
        self.sent: list[MutableMapping[str, Any]] = []
        scope = {"headers": [(b"authorization", f"Bearer {secret}".encode())]}
        self.exchange = Exchange(scope, self.receive, self.send, "id")
        self.line = Line(datetime.now(UTC), "id")

    async def receive(self) -> MutableMapping[str, Any]:
        if self.incoming:
            return self.incoming.pop()
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    async def run(self) -> str:
        await self.chat.handle(self.exchange, self.line, time.perf_counter())
        return b"".join(message.get("body", b"") for message in self.sent).decode()


@pytest.mark.parametrize("stream", [False, True])
async def test_whole_guards_let_words_through(tmp_path: Path, stream: bool) -> None:
    conversation = Conversation(tmp_path, GUARD, stream=stream)
    assert ("some words" if stream else "impact") in await conversation.run()
    assert conversation.line.outcome == "ok"


@pytest.mark.parametrize("stream", [False, True])
async def test_input_guard_that_fails_blocks(tmp_path: Path, stream: bool) -> None:
    conversation = Conversation(tmp_path, BROKEN_INPUT, stream=stream)
    with pytest.raises(Problem) as caught:
        await conversation.run()
    assert (caught.value.outcome, caught.value.rule) == ("blocked_input", "guard-error")
    assert conversation.upstream.asked == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_output_guard_that_fails_blocks(tmp_path: Path, stream: bool) -> None:
    conversation = Conversation(tmp_path, BROKEN_OUTPUT, stream=stream)
    shown = await conversation.run()
    assert "impact" not in shown
    assert "words" not in shown
    assert '"finish_reason":"content_filter"' in shown
    assert (conversation.line.outcome, conversation.line.rule) == ("blocked_output", "guard-error")
