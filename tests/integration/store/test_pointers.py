"""Names that may be moved: two writers, lost replies, and services that would let the second writer win."""

import threading
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.errors import ConfigError, Conflict, IntegrityError, Unavailable
from infra.store.s3 import S3Store
from infra.store.s3.abilities import writes_are_conditional
from tests.integration.store.conftest import Open
from tests.integration.store.faults import Fault, Proxy, answer, drop_header, lose_reply

ONE, TWO, THREE = (digest_bytes(text) for text in (b"1", b"2", b"3"))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01)
    writes_are_conditional.cache_clear()


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_a_service_that_overwrites_in_spite_of_a_condition_is_refused(
    store: S3Store, proxy: Proxy, keys: Any, header: str
) -> None:
    proxy.faults.append(Fault("PUT", "", drop_header(header), times=1000))
    with pytest.raises(ConfigError, match="overwrites in spite of If-None-Match or If-Match") as caught:
        store.pointers.create("latest", ONE)
    assert "docs/store.md" in caught.value.hint
    assert keys() == []
    with pytest.raises(ConfigError, match="it overwrites in spite of"):
        store.describe()


def test_a_service_that_does_not_know_conditions_is_refused(store: S3Store, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "probe", answer(501, "NotImplemented"), times=1000, body=b"second"))
    with pytest.raises(ConfigError, match="overwrites in spite of"):
        store.pointers.read("latest")


def test_a_service_that_does_not_answer_is_asked_again_next_time(store: S3Store, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "probe", answer(503, "SlowDown"), times=3))
    with pytest.raises(Unavailable):
        store.pointers.create("latest", ONE)
    store.pointers.create("latest", ONE)


def test_a_refused_probe_is_no_proof(store: S3Store, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "probe", answer(403, "AccessDenied"), times=1000, body=b"second"))
    with pytest.raises(ConfigError, match="403 AccessDenied"):
        store.pointers.create("latest", ONE)


@pytest.mark.parametrize("name", ["", "../x", "a//b", "/a", "a/", "A", "a b", "a/.."])
def test_names_that_are_refused(store: S3Store, name: str) -> None:
    for ask in (lambda: store.pointers.read(name), lambda: store.pointers.create(name, ONE)):
        with pytest.raises(ConfigError, match="expected lower-case words"):
            ask()


def test_a_taken_name_is_a_conflict_that_says_by_what(store: S3Store) -> None:
    store.pointers.create("releases/triage/7", ONE)
    with pytest.raises(Conflict, match=f"got {ONE}, expected is free"):
        store.pointers.create("releases/triage/7", TWO)
    assert store.pointers.read("releases/triage/7") == ONE


def test_a_name_that_moved_is_a_conflict(store: S3Store) -> None:
    with pytest.raises(Conflict, match=f"got nothing, expected {ONE}"):
        store.pointers.move("latest", ONE, TWO)
    store.pointers.create("latest", ONE)
    store.pointers.move("latest", ONE, TWO)
    with pytest.raises(Conflict, match=f"got {TWO}, expected {ONE}"):
        store.pointers.move("latest", ONE, THREE)
    assert store.pointers.read("latest") == TWO


def test_a_name_that_moves_between_look_and_write_is_a_conflict(
    store: S3Store, proxy: Proxy, client: Any, bucket: str
) -> None:
    store.pointers.create("latest", ONE)

    def another_first(handler: Any, body: bytes) -> None:
        client.put_object(Bucket=bucket, Key="assay/pointers/latest", Body=THREE.encode())
        handler.reply(handler.forward(body))

    proxy.faults.append(Fault("PUT", "pointers", another_first))
    with pytest.raises(Conflict, match=f"got {THREE}, expected {ONE}"):
        store.pointers.move("latest", ONE, TWO)
    assert store.pointers.read("latest") == THREE


def test_a_lost_reply_to_our_own_write_is_success(store: S3Store, proxy: Proxy) -> None:
    proxy.faults.append(Fault("PUT", "pointers", lose_reply))
    store.pointers.create("latest", ONE)
    proxy.faults.append(Fault("PUT", "pointers", lose_reply))
    store.pointers.move("latest", ONE, TWO)
    assert store.pointers.read("latest") == TWO
    assert proxy.count("PUT", "pointers") == 4  # each was sent twice, and refused the second time


def test_a_reply_that_is_lost_while_another_writes_is_a_conflict(
    store: S3Store, proxy: Proxy, client: Any, bucket: str
) -> None:
    def lose_to_another(handler: Any, body: bytes) -> None:
        client.put_object(Bucket=bucket, Key="assay/pointers/latest", Body=THREE.encode())
        handler.hang_up()

    proxy.faults.append(Fault("PUT", "pointers", lose_to_another))
    with pytest.raises(Conflict, match=f"got {THREE}"):
        store.pointers.create("latest", ONE)


@pytest.mark.parametrize("content", [b"", b"sha256:short", b"\xff" * 100, ONE.encode() * 3])
def test_a_pointer_to_nothing_is_refused(store: S3Store, client: Any, bucket: str, content: bytes) -> None:
    client.put_object(Bucket=bucket, Key="assay/pointers/latest", Body=content)
    with pytest.raises(IntegrityError, match="was altered: not a digest"):
        store.pointers.read("latest")


def test_of_many_writers_one_wins(open_s3: Open) -> None:
    store, won, lost = open_s3(), list[str](), list[str]()
    pointers = store.pointers

    def write(digest: str) -> None:
        try:
            pointers.create("latest", digest)
            won.append(digest)
        except Conflict:
            lost.append(digest)

    threads = [threading.Thread(target=write, args=(digest_bytes(bytes([n])),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert pointers.read("latest") == won[0]


def test_the_probe_is_made_once_and_leaves_nothing(store: S3Store, proxy: Proxy, keys: Any) -> None:
    assert store.pointers.read("latest") is None
    before = len(proxy.seen)
    assert store.pointers.read("latest") is None
    assert len(proxy.seen) == before + 1
    assert keys() == []
