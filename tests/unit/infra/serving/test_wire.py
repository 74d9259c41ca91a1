"""Requests are read strictly; answers have OpenAI's shape."""

import json
from typing import Any

import pytest

from infra.serving import wire

USER = {"role": "user", "content": "x"}


def parse(**body: Any) -> wire.ChatRequest:
    return wire.parse_request(json.dumps({"model": "triage", "messages": [USER], **body}).encode())


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": 1}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [USER, USER]}, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "x"}, USER]}, "messages"),
        ({"messages": [USER, {"role": "developer", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": None}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}, None),
        ({"messages": [{"role": "user", "content": "x", "tool_calls": []}]}, None),
        ({"api_base": "http://x"}, "api_base"),
        ({"tools": []}, "tools"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_wrong_request_is_refused(body: dict[str, Any], param: str | None) -> None:
    with pytest.raises(wire.BadRequest) as caught:
        parse(**body)
    assert param is None or caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"model": "a"} x'])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(wire.BadRequest):
        wire.parse_request(body)


def test_usual_requests_are_read() -> None:
    request = parse(temperature=0.7, top_p=1, seed=3, user="u", n=1, presence_penalty=0, logprobs=False)
    assert (request.text, request.limit, request.wants_usage) == ("x", None, False)
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert parse(messages=[{"role": "user", "content": parts}]).text == "a\nb"
    assert parse(max_tokens=5, max_completion_tokens=7).limit == 7
    assert parse(stream=True, stream_options={"include_usage": True}).wants_usage


def test_answers_have_the_expected_shape() -> None:
    whole = json.loads(wire.completion("id", "m", "text", "stop", wire.Usage(3, 4)))
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"] == {"role": "assistant", "content": "text", "refusal": None}
    assert whole["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    piece = wire.chunk("id", "m", "a\n\nb", first=True)
    assert piece.startswith(b"data: {")
    assert piece.endswith(b"}\n\n")
    assert piece.count(b"\n") == 2
    assert json.loads(piece[6:])["choices"][0]["delta"] == {"role": "assistant", "content": "a\n\nb"}
