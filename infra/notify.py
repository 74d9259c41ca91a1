"""Tell people: one event type, written to the log and posted to a webhook; never breaks its caller.

notify(project.notify.webhook, Event.now("release.blocked", "triage", "Blocked", reason, "warning", unit))
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from infra.config.secrets import redact, resolve, resolved_values
from infra.errors import AssayError

Severity = Literal["info", "warning", "critical"]
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}
_TRIES, _TIMEOUT_S, _PAUSE_S = 3, 5.0, 0.5
_log = logging.getLogger("assay.notify")


@dataclass(frozen=True)
class Event:
    """Something that a person may want to know; `subject` is the digest or file that it is about."""

    kind: str
    project: str
    title: str
    message: str
    severity: Severity
    subject: str
    time: str

    @classmethod
    def now(
        cls, kind: str, project: str, title: str, message: str, severity: Severity, subject: str
    ) -> "Event":
        """An event that happens now."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(kind, project, title, message, severity, subject, moment)

    def line(self) -> str:
        """The event in one line."""
        return " ".join(f"[{self.project}] {self.title}: {self.message} ({self.subject})".split())


@dataclass(frozen=True)
class Delivery:
    """What became of an event at one sink."""

    sink: str
    delivered: bool
    detail: str = ""


def notify(webhook: str | None, event: Event) -> tuple[Delivery, ...]:
    """Send an event to the log and, when a secret reference to a URL is given, to the webhook.

    Never raises: a message that cannot be delivered must not undo what it tells of. Failures are logged.
    """
    deliveries = [_attempt("log", lambda: write_log(event))]
    if webhook is not None:
        deliveries.append(_attempt("webhook", lambda: post_webhook(webhook, event)))
    return tuple(deliveries)


def write_log(event: Event) -> str:
    """The event as one line of the process's log."""
    _log.log(_LEVELS.get(event.severity, logging.WARNING), "%s", event.line())
    return ""


def post_webhook(reference: str, event: Event) -> str:
    """POST the event as JSON; resolves the reference now, retries what may heal by itself.

    Raises ConfigError for an unusable reference, OSError when the receiver does not take the event.
    """
    import httpx

    url = resolve(reference)
    # `text` is what chat systems show; the fields beside it are for machines.
    body = json.dumps({"text": event.line(), **asdict(event)}).encode()
    detail = ""
    for library in ("httpx", "httpcore"):  # both log the whole URL, which is the secret
        logging.getLogger(library).setLevel(logging.WARNING)
    with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
        for number in range(_TRIES):
            if number:
                time.sleep(_PAUSE_S * 2 ** (number - 1))
            try:
                status = client.post(
                    url, content=body, headers={"content-type": "application/json"}
                ).status_code
            except httpx.TransportError as error:
                detail = f"{type(error).__name__}"
                continue
            if 200 <= status < 300:
                return f"status {status}"
            detail = f"status {status}"
            if status != 429 and status < 500:
                break
    raise OSError(f"webhook did not take the event: {detail}")


def _attempt(sink: str, send: Callable[[], str]) -> Delivery:
    try:
        return Delivery(sink, True, send())
    except Exception as error:  # noqa: BLE001  # whatever a sink does, the caller's work is done already
        text = error.message if isinstance(error, AssayError) else f"{type(error).__name__}: {error}"
        detail = redact(text, resolved_values())
        _log.warning("event not delivered to %s: %s", sink, detail)
        return Delivery(sink, False, detail)
