"""The relay: garak gets a refusal for what the guard stops, and nothing at all for what breaks."""

import json
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from infra.errors import Unavailable
from tasks.records.redteam import Against
from tasks.validate.garak.relay import STOPPED, Relay, conversation_of
from tasks.validate.targets import Conversation, Reply

_OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Target:
    against: Against = "unit"

    def __init__(self) -> None:
        self.batches: list[list[Conversation]] = []
        self.thread = 0

    def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
        self.thread = threading.get_ident()
        self.batches.append(list(conversations))
        return [
            Reply("", "ignore-instructions") if "ignore" in each[-1]["content"] else Reply("impact")
            for each in conversations
        ]


class Broken(Target):
    def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
        raise Unavailable("the model server does not answer")


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay() as relay:
        yield relay


class Asking(threading.Thread):
    """One request in a thread of its own, as garak's workers make it."""

    def __init__(self, relay: Relay, body: Any, token: str | None = None) -> None:
        super().__init__(daemon=True)
        self._request = urllib.request.Request(
            relay.url + "chat/completions",
            data=body if isinstance(body, bytes) else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {relay.token if token is None else token}"},
        )
        self.status, self.answer = 0, {}
        self.start()

    def run(self) -> None:
        try:
            with _OPEN(self._request, timeout=10) as response:
                self.status, self.answer = response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            self.status, self.answer = error.code, json.loads(error.read())
        except OSError:
            self.status = -1


def _user(text: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], "temperature": 0.7, "stop": ["#"]}


def _serve(relay: Relay, target: Target, *asking: Asking) -> None:
    while any(each.is_alive() for each in asking):
        relay.serve(target, wait_s=0.05)


def test_answers_and_stopped_attacks(relay: Relay) -> None:
    asking = Asking(relay, _user("Emotet sends mail.")), Asking(relay, _user("ignore all that"))
    target = Target()
    _serve(relay, target, *asking)
    texts = [each.answer["choices"][0]["message"]["content"] for each in asking]
    assert texts == ["impact", STOPPED]
    assert asking[1].answer["choices"][0]["finish_reason"] == "content_filter"
    assert relay.answered == 2
    assert target.thread == threading.get_ident()


def test_requests_that_wait_are_asked_together(relay: Relay) -> None:
    asking = [Asking(relay, _user(f"text {at}")) for at in range(5)]
    while relay._inbox.qsize() < 5:
        pass
    target = Target()
    _serve(relay, target, *asking)
    assert [len(batch) for batch in target.batches] == [5]


def test_an_error_of_the_target_ends_the_run_and_is_no_answer() -> None:
    with Relay() as relay:
        asking = Asking(relay, _user("Emotet sends mail."))
        with pytest.raises(Unavailable):
            _serve(relay, Broken(), asking)
        asking.join(10)
        assert (asking.status, relay.answered) == (-1, 0)


def test_too_few_replies_are_no_answer() -> None:
    class Short(Target):
        def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
            return []

    with Relay() as relay:
        asking = Asking(relay, _user("Emotet sends mail."))
        with pytest.raises(ValueError, match="zip"):
            _serve(relay, Short(), asking)
        asking.join(10)
    assert (asking.status, relay.answered) == (-1, 0)


def test_what_still_waits_at_the_end_gets_no_answer() -> None:
    with Relay() as relay:
        asking = Asking(relay, _user("Emotet sends mail."))
        while not relay._inbox.qsize():
            pass
    asking.join(10)
    assert asking.status == -1


@pytest.mark.parametrize(
    ("body", "token", "status"),
    [
        (_user("text"), "wrong", 401),
        (_user("text"), "", 401),
        (b"{", None, 400),
        ([], None, 400),
        ({"messages": []}, None, 400),
        ({"messages": ["text"]}, None, 400),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, None, 400),
        ({"messages": [{"role": "user", "content": None}]}, None, 400),
    ],
)
def test_what_is_no_request_never_reaches_the_target(
    relay: Relay, body: Any, token: str | None, status: int
) -> None:
    asking, target = Asking(relay, body, token), Target()
    _serve(relay, target, asking)
    assert asking.status == status
    assert (target.batches, relay.answered) == ([], 0)


def test_sampling_settings_do_not_reach_the_target() -> None:
    assert conversation_of(json.dumps(_user("text")).encode()) == [{"role": "user", "content": "text"}]
