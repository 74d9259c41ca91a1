"""What the gateway adds to a request: the same static model server, asked directly and through the gateway.

python bench/gateway_latency.py --seconds 2

Both run in this run on this machine, in turns, so that the ratio does not depend on what else it does.
CPU is that of the gateway process alone (user + system, /proc).
"""

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import publish

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from infra.gateway.access import AccessPolicy  # noqa: E402 - the path above makes the script runnable alone

TEXT = "The actor encrypted the hosts and deleted the backups. " * 8
ACCESS = b"version: 1\nroles:\n  client: {models: [own], max_tokens: 128, requests_per_minute: 1000000}\n"
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "impact"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 90, "completion_tokens": 1, "total_tokens": 91},
}
PIECES = 20


class StaticServer(asyncio.Protocol):
    """Answers every complete request from memory; the least a model server could do."""

    whole = b""
    stream = b""

    def connection_made(self, transport: Any) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(self.stream if b'"stream":true' in body.replace(b" ", b"") else self.whole)


def static_answers() -> tuple[bytes, bytes]:
    body = json.dumps(ANSWER).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    events = [{"choices": [{"index": 0, "delta": {"content": "word "}}]}] * PIECES
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    text = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    parts = [f"{part}\n\n".encode() for part in text.split("\n\n") if part]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    stream_head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return head % len(body) + body, stream_head + chunks


async def serve_static(port: int) -> None:
    StaticServer.whole, StaticServer.stream = static_answers()
    server = await asyncio.get_running_loop().create_server(StaticServer, "127.0.0.1", port)
    await server.serve_forever()


@dataclass
class Result:
    """One cell: latencies in milliseconds, requests per second, errors."""

    latencies: list[float]
    seconds: float
    errors: int
    cpu_us: float = 0.0

    def quantile(self, share: float) -> float:
        return sorted(self.latencies)[min(int(share * len(self.latencies)), len(self.latencies) - 1)]


async def load(port: int, request: bytes, connections: int, seconds: float, *, stream: bool) -> Result:
    """Closed loop: each connection asks again as soon as it has its answer."""
    result = Result([], seconds, 0)
    until = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if stream:
                body = await reader.readuntil(b"0\r\n\r\n")
                good = b"[DONE]" in body
            else:
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                good = b"impact" in await reader.readexactly(length)
            result.latencies.append((time.perf_counter() - started) * 1000)
            result.errors += not (good and head.startswith(b"HTTP/1.1 200"))
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return result


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request_bytes(model: str, key: str, *, stream: bool) -> bytes:
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": TEXT}]}
    if stream:
        body["stream"] = True
    data = json.dumps(body).encode()
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %s\r\n"
        b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (key.encode(), len(data), data)
    )


def installation(home: Path) -> Any:
    """The installation that the integration tests use: a signed release, a ledger entry, a key."""
    path = REPOSITORY / "tests" / "integration" / "inference" / "conftest.py"
    spec = importlib.util.spec_from_file_location("installation", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["installation"] = module
    spec.loader.exec_module(module)
    return module.Installation(home), module.free_port()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each cell")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    import uvloop

    if options.serve:
        uvloop.run(serve_static(options.serve))
        return 0
    AccessPolicy.from_yaml(ACCESS)
    with tempfile.TemporaryDirectory() as directory:
        made, port = installation(Path(directory) / "home")
        release = made.promote(made.release(access=ACCESS))
        made.route({"triage": release})
        _, key = made.keys.create("bench", ["models"])
        upstream = subprocess.Popen([sys.executable, __file__, "--serve", str(port)])
        try:
            url = made.start("infra.gateway", "--upstream", f"http://127.0.0.1:{port}")
            figures = uvloop.run(
                compare(port, int(url.rsplit(":", 1)[1]), made.processes[0].pid, key, options.seconds)
            )
            publish("gateway_latency", figures, parameters={"seconds": options.seconds})
        finally:
            made.stop()
            upstream.terminate()
            upstream.wait()
    return 0


async def compare(
    direct: int, gateway: int, pid: int, key: str, seconds: float
) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    print(f"{'':22}{'p50 ms':>9}{'p99 ms':>9}{'req/s':>9}{'added p50':>11}{'CPU us/req':>12}{'errors':>8}")
    for stream in (False, True):
        request = request_bytes("triage", key, stream=stream)
        for connections in (1, 16):
            await load(gateway, request, connections, seconds / 4, stream=stream)
            plain = await load(direct, request, connections, seconds, stream=stream)
            before = cpu_s(pid)
            through = await load(gateway, request, connections, seconds, stream=stream)
            through.cpu_us = (cpu_s(pid) - before) / max(1, len(through.latencies)) * 1e6
            kind = f"{'SSE' if stream else 'JSON'} c={connections}"
            show(f"direct  {kind}", plain, None)
            show(f"gateway {kind}", through, plain)
            figures[kind] = {
                "direct_p50_ms": round(plain.quantile(0.5), 3),
                "gateway_p50_ms": round(through.quantile(0.5), 3),
                "gateway_p99_ms": round(through.quantile(0.99), 3),
                "gateway_cpu_us": round(through.cpu_us, 1),
                "errors": through.errors,
            }
    return figures


def show(name: str, result: Result, plain: Result | None) -> None:
    added = f"{result.quantile(0.5) - plain.quantile(0.5):11.2f}" if plain else f"{'':11}"
    cpu = f"{result.cpu_us:12.0f}" if plain else f"{'':12}"
    rate = len(result.latencies) / result.seconds
    figures = f"{result.quantile(0.5):9.2f}{result.quantile(0.99):9.2f}{rate:9.0f}"
    print(f"{name:22}{figures}{added}{cpu}{result.errors:8}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
