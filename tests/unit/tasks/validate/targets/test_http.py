"""The HTTP target: what is an answer, what is a block, and what must be raised."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from infra.errors import ConfigError, Unavailable
from tasks.validate.targets import Endpoint, Reply

ASK = ({"role": "user", "content": "Emotet sends mail."},)


def answer(finish: str = "stop", **message: Any) -> httpx.Response:
    return httpx.Response(200, json={"choices": [{"message": message, "finish_reason": finish}]})


def refusal(status: int, **error: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": error})


def endpoint(reply: Callable[[httpx.Request], httpx.Response], **options: Any) -> Endpoint:
    transport = httpx.MockTransport(reply)
    return Endpoint("http://model.test/v1", "m", transport=transport, sleep=lambda _s: None, **options)


def test_answers_come_in_order() -> None:
    with endpoint(lambda r: answer(content=json.loads(r.content)["messages"][0]["content"])) as target:
        asked = [({"role": "user", "content": str(number)},) for number in range(20)]
        assert [reply.text for reply in target.ask(asked)] == [str(number) for number in range(20)]


def test_key_model_and_greedy_settings_are_sent() -> None:
    seen: list[httpx.Request] = []

    def reply(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer(content="impact")

    with endpoint(reply, api_key="k") as target:
        target.ask([ASK])
    body = json.loads(seen[0].content)
    assert seen[0].headers["authorization"] == "Bearer k"
    assert str(seen[0].url) == "http://model.test/v1/chat/completions"
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("m", 0, 96)


@pytest.mark.parametrize(
    ("response", "rule"),
    [
        (refusal(400, code="content_filter", param="messages"), "content_filter"),
        (refusal(403, code="content_policy_violation"), "content_policy_violation"),
        (refusal(400, code="system_prompt_refused", param="messages"), "system_prompt_refused"),
        (refusal(400, code="context_length_exceeded", param="messages"), "context_length_exceeded"),
        (answer("content_filter", content=""), "content_filter"),
        (answer(content=None, refusal="I cannot."), "refusal"),
    ],
)  # fmt: skip
def test_a_refused_request_is_a_block(response: httpx.Response, rule: str) -> None:
    with endpoint(lambda _r: response) as target:
        assert target.ask([ASK]) == [Reply("", rule)]


@pytest.mark.parametrize(
    "response",
    [
        refusal(401, code="invalid_api_key"),
        refusal(403, code="model_denied", param="model"),
        refusal(404, code="model_not_found", param="model"),
        refusal(400, code="unsupported", param="temperature"),
        refusal(400, code="odd"),
        refusal(500, code="internal"),
        refusal(503, code="content_filter", param="messages"),
        httpx.Response(429, json={}),
        httpx.Response(302, headers={"location": "http://elsewhere.test"}, json={}),
        httpx.Response(400, text="no json"),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"choices": []}),
        httpx.Response(200, json={"choices": [{"message": None}]}),
        answer(content=None),
        answer(content=7),
        answer(),
    ],
)
def test_everything_else_is_raised(response: httpx.Response) -> None:
    with endpoint(lambda _r: response) as target, pytest.raises(Unavailable):
        target.ask([ASK])


def test_an_unreachable_endpoint_is_raised_after_its_attempts() -> None:
    tries = []

    def down(request: httpx.Request) -> httpx.Response:
        tries.append(1)
        raise httpx.ConnectError("refused", request=request)

    with endpoint(down, attempts=3) as target, pytest.raises(Unavailable, match="ConnectError"):
        target.ask([ASK])
    assert len(tries) == 3


def test_a_busy_endpoint_is_asked_again() -> None:
    responses = [httpx.Response(429, headers={"retry-after": "0"}, json={}), answer(content="impact")]
    with endpoint(lambda _r: responses.pop(0)) as target:
        assert target.ask([ASK]) == [Reply("impact")]


def test_a_limit_of_its_own_is_respected() -> None:
    def reply(request: httpx.Request) -> httpx.Response:
        if "max_tokens" in json.loads(request.content):
            return refusal(400, code="max_tokens_exceeded", param="max_tokens")
        return answer(content="impact")

    with endpoint(reply) as target:
        assert target.ask([ASK, ASK]) == [Reply("impact")] * 2


def test_tool_calls_are_part_of_what_is_said() -> None:
    call = {"function": {"name": "wipe_q7", "arguments": "{}"}}
    with endpoint(lambda _r: answer(content=None, tool_calls=[call])) as target:
        assert "wipe_q7" in target.ask([ASK])[0].text


@pytest.mark.parametrize("url", ["model.test", "file:///etc/passwd", "ftp://model.test", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected http"):
        Endpoint(url, "m")
