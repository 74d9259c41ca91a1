"""Whether a service works, shown by a real call: an open port or a `/health` may lie.

probe("http://127.0.0.1:5000/...", timeout=2.0)   # raises Unavailable when it does not answer 2xx
"""

import json
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from infra.errors import Unavailable
from infra.stack.ports import listens
from infra.stack.processes import started_at
from infra.stack.record import Check, Service
from infra.stack.supervisor import ProcessInfo

_TAIL_BYTES = 16_384
# Our services are on this machine: a proxy from the environment would only get in between.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def probe(url: str, timeout: float = 5.0, *, body: str | None = None) -> bytes:
    """One GET, or POST of a JSON `body`; the answer's bytes.

    Raises Unavailable for anything but a 2xx within `timeout` seconds.
    """
    request = urllib.request.Request(  # noqa: S310 - the address comes from our own record
        url,
        data=None if body is None else body.encode(),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            raise Unavailable(f"{url}: got HTTP {error.code}", hint="run `assay status`") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise Unavailable(f"{url}: does not answer: {reason}", hint="run `assay up`") from error


def not_ready(service: Service, process: ProcessInfo | None, timeout: float = 2.0) -> str:
    """Why a service is not ready, or "" when it is."""
    if process is None or process.pid is None or process.state not in ("STARTING", "RUNNING"):
        return f"process is {process.state.lower() if process else 'unknown'}"
    if service.port is not None and not listens(process.pid, service.port):
        return f"does not listen on port {service.port} yet"
    try:
        answer = probe(service.check.url, timeout, body=service.check.body)
    except Unavailable as error:
        return error.message
    if service.check.kind == "worker":
        return _worker_missing(service.check, answer, started_at(process.pid) or 0.0)
    return ""


def _worker_missing(check: Check, answer: bytes, since: float) -> str:
    # A killed worker stays ONLINE for 90 seconds: only a heartbeat of the present process counts.
    try:
        for worker in json.loads(answer):
            beat = datetime.fromisoformat(worker["last_heartbeat_time"]).timestamp()
            if worker["name"] == check.worker and worker["status"] == "ONLINE" and beat >= since:
                return ""
    except (ValueError, KeyError, TypeError) as error:
        return f"{check.url}: unexpected answer: {error!r}"
    return f"worker {check.worker!r} has not reported yet"


def last_lines(log: Path, count: int = 12) -> str:
    """The end of a log for a person, indented; one line when there is none."""
    try:
        with log.open("rb") as stream:
            stream.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = stream.read().decode(errors="replace").splitlines()
    except OSError:
        lines = []
    shown = [line for line in lines if line.strip()][-count:]
    return "\n".join(f"    {line[:300]}" for line in shown) or "    (the log is empty)"
