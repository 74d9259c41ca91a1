"""Refusals as OpenAI clients understand them: a status, an error object, an outcome for the log."""

from infra.gateway.request_log import Outcome
from infra.serving.wire import error_body


class Problem(Exception):
    """A request ends here, before any byte of an answer."""

    def __init__(
        self,
        status: int,
        outcome: Outcome,
        code: str,
        message: str,
        *,
        param: str | None = None,
        rule: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.outcome, self.code, self.message = status, outcome, code, message
        self.param, self.rule, self.retry_after_s = param, rule, retry_after_s

    def body(self) -> bytes:
        """The JSON error object."""
        return error_body(
            self.message, _KINDS.get(self.status, "invalid_request_error"), self.code, self.param
        )

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Headers besides the content type."""
        if self.status == 401:
            return [(b"www-authenticate", b"Bearer")]
        if self.retry_after_s is None:
            return []
        # Whole seconds, rounded up: a client that waits that long is let in.
        return [(b"retry-after", str(max(1, -int(-self.retry_after_s // 1))).encode())]


_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    500: "server_error",
    502: "server_error",
    503: "server_error",
    504: "server_error",
}


def unavailable(message: str, code: str = "unavailable") -> Problem:
    """503: clients try again by themselves."""
    return Problem(503, "upstream_error", code, message, retry_after_s=1)
