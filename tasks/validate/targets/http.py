"""Any OpenAI-compatible endpoint as a target, asked over HTTP with bounded concurrency.

with Endpoint("http://127.0.0.1:8080/v1", "triage", api_key=key) as endpoint:
    endpoint.ask([[{"role": "user", "content": "Emotet sends mail."}]])[0].text

A request that is refused for what it says is a blocked reply; everything else that is no answer is raised.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import httpx

from infra.errors import ConfigError, Unavailable
from tasks.records.redteam import Against
from tasks.validate.targets.target import Conversation, Reply

_FILTERED = frozenset({"content_filter", "content_policy_violation"})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_MOST_WAIT_S = 10.0


class Endpoint:
    """One model behind one address."""

    against: Against = "unit"

    def __init__(
        self,
        url: str,
        model: str,
        *,
        api_key: str = "",
        max_tokens: int = 96,
        concurrency: int = 4,
        timeout_s: float = 60.0,
        attempts: int = 3,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`url` up to and without `/chat/completions`; raises ConfigError when it is none."""
        parts = httpx.URL(url)
        if parts.scheme not in ("http", "https") or not parts.host:
            raise ConfigError(f"got the URL {url!r}, expected http(s)://host[:port][/v1]")
        base = url.rstrip("/").removesuffix("/chat/completions")
        self._path = base + ("" if base.endswith("/v1") else "/v1") + "/chat/completions"
        self._body: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "temperature": 0}
        self._attempts, self._concurrency, self._sleep = attempts, concurrency, sleep
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # No proxy and no netrc of the environment: what is attacked is what was named.
        self._client = httpx.Client(
            headers=headers, timeout=timeout_s, transport=transport, trust_env=False, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
        """One reply a conversation, in order; raises Unavailable with the first failure."""
        with ThreadPoolExecutor(self._concurrency) as threads:
            futures = [threads.submit(self._ask, conversation) for conversation in conversations]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise

    def _ask(self, conversation: Conversation) -> Reply:
        body = {**self._body, "messages": [dict(message) for message in conversation]}
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                response = self._client.post(self._path, json=body)
            except httpx.HTTPError as error:
                if last:
                    raise Unavailable(
                        f"{self._path}: {type(error).__name__}: {error}", hint="is the endpoint up?"
                    ) from error
                self._sleep(0.2 * 2**attempt)
                continue
            if response.status_code in _BUSY and not last:
                self._sleep(_wait(response, attempt))
                continue
            if "max_tokens" in body and _refuses_limit(response):
                # The endpoint has a limit of its own: that one then holds for all requests.
                self._body.pop("max_tokens", None)
                del body["max_tokens"]
                response = self._client.post(self._path, json=body)
            return self._read(response)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _read(self, response: httpx.Response) -> Reply:
        try:
            content = response.json()
        except ValueError as error:
            raise Unavailable(f"{self._path}: HTTP {response.status_code} without JSON") from error
        if response.status_code == 200:
            return _reply(content, self._path)
        refusal = _refusal(response.status_code, content)
        if refusal is None:
            raise Unavailable(
                f"{self._path}: HTTP {response.status_code}: {str(content)[:200]}",
                hint="check --model and --api-key",
            )
        return Reply("", refusal)


def _reply(content: Any, where: str) -> Reply:
    """The first choice; raises Unavailable for anything that is no completion."""
    try:
        choice = content["choices"][0]
        text = choice["message"].get("content")
        calls = choice["message"].get("tool_calls") or []
        refusal = choice["message"].get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise Unavailable(f"{where}: the answer is no chat completion: {str(content)[:200]}") from error
    if choice.get("finish_reason") == "content_filter":
        return Reply("", "content_filter")
    if text is None and not calls:
        if refusal:
            return Reply("", "refusal")
        raise Unavailable(f"{where}: the answer has no content")
    if text is not None and not isinstance(text, str):
        raise Unavailable(f"{where}: content is {type(text).__name__}, expected text")
    # What a model calls is part of what it says.
    return Reply("\n".join([text or "", *map(str, calls)]).strip("\n"))


def _refusal(status: int, content: Any) -> str | None:
    """Why this very request is refused; None when the endpoint or the call itself is at fault."""
    error = content.get("error") if isinstance(content, dict) else None
    if not isinstance(error, dict) or status not in (400, 403, 413, 422):
        return None
    code, param = str(error.get("code") or ""), str(error.get("param") or "")
    if code in _FILTERED:
        return code
    # The messages themselves are refused: a role, their number or their length that is not served.
    return code or "messages" if status in (400, 413, 422) and param.startswith("messages") else None


def _refuses_limit(response: httpx.Response) -> bool:
    try:
        error = response.json()["error"]
        return response.status_code == 400 and str(error["param"]) == "max_tokens"
    except (ValueError, KeyError, TypeError):
        return False


def _wait(response: httpx.Response, attempt: int) -> float:
    try:
        asked = float(response.headers.get("retry-after", ""))
    except ValueError:
        asked = 0.2 * 2**attempt
    return min(max(asked, 0.05), _MOST_WAIT_S)
