"""One private Sigstore: every service with keys of its own, that live as long as the object.

instance = Instance("http://127.0.0.1:8766")
instance.answer("POST", "/api/v2/signingCert", body, bearer)     # Answer(status, content_type, body)

No sockets here: `server` puts them in front. NOT FOR PRODUCTION: it believes whoever may ask for a token.
"""

import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from infra.errors import IntegrityError
from infra.signing.documents import parse_object
from infra.sigstore_dev.clock import Clock, system_clock
from infra.sigstore_dev.ct_log import CtLog
from infra.sigstore_dev.fulcio import Fulcio
from infra.sigstore_dev.issuer import Issuer
from infra.sigstore_dev.rekor_v1 import RekorV1
from infra.sigstore_dev.rekor_v2 import RekorV2
from infra.sigstore_dev.timestamps import TimestampAuthority
from infra.sigstore_dev.trust_config import RekorVersion, trust_config

_JSON, _TIMESTAMP = "application/json", "application/timestamp-reply"
_MOST_TOKEN_BYTES = 4096


@dataclass(frozen=True)
class Answer:
    """What goes back to the client."""

    status: int
    content_type: str
    body: bytes


class Instance:
    """Issuer, Fulcio, certificate transparency log, two Rekors and a timestamp authority."""

    def __init__(self, url: str, clock: Clock = system_clock) -> None:
        self.url = url
        self.started = clock() - timedelta(minutes=1)
        self.secret = secrets.token_urlsafe(32)
        """Whoever knows it may ask for tokens."""
        self.issuer = Issuer(url, clock)
        self.ct_log = CtLog(clock)
        self.fulcio = Fulcio(self.issuer, self.ct_log, clock)
        self.rekor_v1 = RekorV1(clock)
        self.rekor_v2 = RekorV2()
        self.timestamps = TimestampAuthority(clock)

    def trust_config(self, rekor: RekorVersion = 2) -> dict[str, Any]:
        """What clients need to know, as a ClientTrustConfig document."""
        return trust_config(self, rekor)

    def answer(self, method: str, path: str, body: bytes, bearer: str) -> Answer:
        """Serve one request: 200 or 201, 400 when it is refused, 404 for anything unknown."""
        routes: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/.well-known/openid-configuration"): lambda: _document(self.issuer.discovery()),
            ("GET", "/jwks"): lambda: _document(self.issuer.jwks()),
            ("GET", "/api/v2/trustBundle"): lambda: _document(self.fulcio.trust_bundle()),
            ("POST", "/token"): lambda: _document(self._token(body, bearer)),
            ("POST", "/api/v2/signingCert"): lambda: _document(self.fulcio.sign_certificate(body, bearer)),
            ("POST", "/api/v1/log/entries"): lambda: _document(self.rekor_v1.add(body), 201),
            ("POST", "/api/v2/log/entries"): lambda: _document(self.rekor_v2.add(body), 201),
            ("POST", "/api/v1/timestamp"): lambda: Answer(201, _TIMESTAMP, self.timestamps.answer(body)),
        }
        try:
            route = routes.get((method, path))
            return route() if route else refusal(404, "no such service")
        except IntegrityError as error:
            return refusal(400, error.message)

    def _token(self, body: bytes, bearer: str) -> dict[str, Any]:
        """`{"subject": …}` → `{"token": …}`, for those who know the secret."""
        if not hmac.compare_digest(bearer.encode(), self.secret.encode()):
            raise IntegrityError("token refused: the secret is not the one of this instance")
        document = parse_object(body, "token request", most_bytes=_MOST_TOKEN_BYTES)
        if document.keys() != {"subject"}:
            raise IntegrityError(f"token request: got {sorted(document)}, expected a subject alone")
        return {"token": self.issuer.token(document["subject"])}


def refusal(status: int, message: str) -> Answer:
    """An error as Fulcio and Rekor put it."""
    return _document({"code": status, "message": message}, status)


def _document(content: dict[str, Any], status: int = 200) -> Answer:
    return Answer(status, _JSON, json.dumps(content).encode())
