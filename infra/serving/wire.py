"""OpenAI's chat completions on the wire: what we accept, what we answer.

request = parse_request(body)        # BadRequest names the field
completion("chatcmpl-1", "triage", "impact", "stop", Usage(90, 2))

Unknown fields are refused: a field that steers routing (`api_base`, `headers`, …) must never be passed on
because nobody looked at it. Reference: OpenAI API, "Create chat completion" and "Streaming events".
"""

import time
from typing import Any, Literal

import msgspec

ENDPOINT = "/v1/chat/completions"
FinishReason = Literal["stop", "length", "content_filter"]
_NEUTRAL = {"n": 1, "logprobs": False, "presence_penalty": 0, "frequency_penalty": 0}


class BadRequest(Exception):
    """A request that is refused; `param` is the field, `code` a word for programs."""

    def __init__(self, message: str, *, param: str | None = None, code: str = "invalid_value") -> None:
        super().__init__(message)
        self.message, self.param, self.code = message, param, code


class TextPart(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """A piece of a message; only text is served."""

    text: str


class Message(msgspec.Struct, forbid_unknown_fields=True):
    """One message of the client."""

    role: Literal["user", "system", "developer", "assistant", "tool", "function"]
    content: str | list[TextPart] | None = None
    name: str | None = None


class StreamOptions(msgspec.Struct, forbid_unknown_fields=True):
    """What a stream carries besides the answer."""

    include_usage: bool = False
    include_obfuscation: bool = False


class ChatRequest(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request.

    Answers are always the most likely ones (greedy), as they were measured in validation: `temperature`,
    `top_p`, `seed` and `user` are accepted, because clients send them, and change nothing.
    """

    model: str
    messages: list[Message]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    user: str | None = None
    n: int | None = None
    logprobs: bool | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None

    @property
    def text(self) -> str:
        """The words of the one user message."""
        content = self.messages[0].content
        return content if isinstance(content, str) else "\n".join(part.text for part in content or ())

    @property
    def limit(self) -> int | None:
        """Most tokens of the answer that the client wants."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with token counts."""
        return self.stream_options is not None and self.stream_options.include_usage


class Usage(msgspec.Struct, frozen=True):
    """Token counts of one request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int = 0

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "total_tokens", self.prompt_tokens + self.completion_tokens)


_decoder = msgspec.json.Decoder(ChatRequest)


def parse_request(body: bytes) -> ChatRequest:
    """The checked request; raises BadRequest."""
    try:
        request = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequest(str(error), param=_field(str(error)), code="invalid_request") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}", code="invalid_json") from error
    _check_messages(request.messages)
    for name, neutral in _NEUTRAL.items():
        if (got := getattr(request, name)) not in (None, neutral):
            raise BadRequest(
                f"{name}: got {got}, only {neutral} is supported", param=name, code="unsupported"
            )
    if request.temperature is not None and not 0 <= request.temperature <= 2:
        raise BadRequest("temperature: expected 0 to 2", param="temperature")
    if request.top_p is not None and not 0 <= request.top_p <= 1:
        raise BadRequest("top_p: expected 0 to 1", param="top_p")
    if request.limit is not None and request.limit < 1:
        raise BadRequest(f"max_tokens: got {request.limit}, expected 1 or more", param="max_tokens")
    return request


def _check_messages(messages: list[Message]) -> None:
    for message in messages:
        if message.role in ("system", "developer"):
            raise BadRequest(
                f"messages: role {message.role!r} is refused: the release's own prompt is served,"
                " because that prompt is what was validated; send the text as one user message",
                param="messages",
                code="system_prompt_refused",
            )
    if len(messages) != 1 or messages[0].role != "user":
        raise BadRequest(
            f"messages: got {[message.role for message in messages][:8]}, expected exactly one user message",
            param="messages",
        )
    content = messages[0].content
    if not content:
        raise BadRequest("messages[0].content: is empty", param="messages")


def _field(error: str) -> str | None:
    # msgspec ends with "- at `$.messages[0].role`", or names an unknown field in backticks.
    parts = error.split("`")
    return parts[-2].removeprefix("$.") if len(parts) > 2 else None


def completion(name: str, model: str, text: str, finish: FinishReason, usage: Usage) -> bytes:
    """The body of a whole answer."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": finish,
    }
    return _object(name, "chat.completion", model, [choice], usage)


def chunk(
    name: str, model: str, text: str = "", finish: FinishReason | None = None, *, first: bool = False
) -> bytes:
    """One server-sent event with a piece of an answer."""
    delta: dict[str, str] = {"role": "assistant"} if first else {}
    if text or first:
        delta["content"] = text
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return event(_object(name, "chat.completion.chunk", model, [choice], None))


def usage_chunk(name: str, model: str, usage: Usage) -> bytes:
    """The event with token counts that follows the last piece."""
    return event(_object(name, "chat.completion.chunk", model, [], usage))


DONE = b"data: [DONE]\n\n"


def event(data: bytes) -> bytes:
    """A server-sent event; `data` has no line break (JSON)."""
    return b"data: " + data + b"\n\n"


def error_body(message: str, kind: str, code: str, param: str | None = None) -> bytes:
    """OpenAI's error object."""
    return msgspec.json.encode({"error": {"message": message, "type": kind, "param": param, "code": code}})


def _object(name: str, kind: str, model: str, choices: list[dict[str, Any]], usage: Usage | None) -> bytes:
    body: dict[str, Any] = {
        "id": name,
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": usage,
    }
    return msgspec.json.encode(body)
