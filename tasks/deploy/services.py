"""What deploy asks of the running services: load a release, see a generation in force, answer a question.

load_release(endpoints.model_server_url, token, release)
ask(endpoints.gateway_url, key, "triage", "The actor encrypted the hosts.")
"""

import time
from typing import Any

from infra.errors import IntegrityError, Unavailable

_LOAD_TIMEOUT_S = 180.0
_ASK_TIMEOUT_S = 60.0
_SWAP_TIMEOUT_S = 10.0


def load_release(model_server: str, token: str, release: str) -> None:
    """Have the model server verify and load a release; a loaded one is left alone.

    Raises IntegrityError when the server refuses the bytes, Unavailable when it does not answer.
    """
    _call(
        "POST",
        f"{model_server}/internal/releases",
        token,
        {"release": release},
        timeout_s=_LOAD_TIMEOUT_S,
        what="model server",
    )


def ask(gateway: str, key: str, model: str, text: str) -> str:
    """One question through the gateway, as any client would ask; returns the answer's text."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 16}
    answer = _call(
        "POST", f"{gateway}/v1/chat/completions", key, body, timeout_s=_ASK_TIMEOUT_S, what="gateway"
    )
    return str(answer["choices"][0]["message"]["content"]).strip()


def await_generation(gateway: str, generation: int) -> None:
    """Wait until the gateway routes by this snapshot or a newer one; raises Unavailable after 10 s."""
    deadline = time.monotonic() + _SWAP_TIMEOUT_S
    seen: Any = None
    while time.monotonic() < deadline:
        seen = _call("GET", f"{gateway}/health/ready", "", None, timeout_s=5, what="gateway").get(
            "generation"
        )
        if isinstance(seen, int) and seen >= generation:
            return
        time.sleep(0.05)
    raise Unavailable(f"gateway still routes by generation {seen}, expected {generation}", hint="run again")


def _call(
    method: str, url: str, token: str, body: dict[str, Any] | None, *, timeout_s: float, what: str
) -> dict[str, Any]:
    import httpx

    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        reply = httpx.request(method, url, json=body, headers=headers, timeout=timeout_s, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(f"{what} does not answer: {error}", hint="see `assay status`") from error
    try:
        content = reply.json()
    except ValueError:
        content = {}
    if reply.status_code >= 500 and reply.status_code != 507:
        raise Unavailable(
            f"{what} answered {reply.status_code}: {_message(content)}", hint="see `assay status`"
        )
    if reply.status_code >= 400:
        raise IntegrityError(f"{what} refused ({reply.status_code}): {_message(content)}")
    return content if isinstance(content, dict) else {}


def _message(content: Any) -> str:
    error = content.get("error", content) if isinstance(content, dict) else content
    return str(error.get("message", error) if isinstance(error, dict) else error)
