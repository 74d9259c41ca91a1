"""Mapping in this process, packing for others, and what the settings refuse."""

import pickle

import pyarrow as pa
import pytest
from pydantic import ValidationError

from infra.config.scale import ScaleSettings
from infra.errors import DataError, Unavailable
from infra.scale import mapper
from infra.scale.mapping import in_process
from infra.scale.pack import pack, unpack
from infra.scale.scoring import shards

TLS = {"tls_ca": "ca.pem", "tls_certificate": "own.pem", "tls_key": "own.key"}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"address": "tls://far:8786", **TLS}, "only engine 'dask'"),
        ({"engine": "dask", "address": "tcp://far:8786"}, "expected tls://"),
        ({"engine": "dask", "address": "far:8786"}, "expected tls://"),
        ({"engine": "dask", "address": "tls://"}, "expected tls://"),
        ({"engine": "dask", "address": "tls://far:8786"}, "needs scale.tls_ca"),
        ({"engine": "dask", "address": "tls://far:8786", "tls_ca": "ca.pem"}, "needs scale.tls_ca"),
        ({"engine": "dask", "tls_ca": "ca.pem"}, "only used with scale.address"),
        ({"engine": "ray"}, "'process' or 'dask'"),
        ({"workers": 0}, "greater than"),
    ],
)
def test_settings_that_are_refused(settings: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        ScaleSettings.model_validate(settings)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://localhost:8786"])
def test_in_the_clear_only_within_this_machine(address: str) -> None:
    assert ScaleSettings(engine="dask", address=address).address == address


def test_results_come_in_order() -> None:
    with mapper(ScaleSettings()) as map_items:
        assert map_items(len, iter(["a", "bbb", "cc"])) == [1, 3, 2]


@pytest.mark.parametrize(("tries", "heals"), [(1, False), (2, False), (3, True)])
def test_only_what_may_heal_is_tried_again(tries: int, heals: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infra.scale.mapping._PAUSE_S", 0)
    calls: list[str] = []

    def flaky(item: str) -> str:
        calls.append(item)
        if len(calls) < 3:
            raise Unavailable("not yet")
        return item

    if heals:
        assert in_process(tries)(flaky, ["x"]) == ["x"]
    else:
        with pytest.raises(Unavailable):
            in_process(tries)(flaky, ["x"])
    assert len(calls) == tries


def test_a_bad_item_is_not_tried_again() -> None:
    calls: list[str] = []

    def bad(item: str) -> None:
        calls.append(item)
        raise DataError("bad")

    with pytest.raises(DataError):
        in_process(5)(bad, ["x", "y"])
    assert calls == ["x"]


def test_a_part_of_a_table_travels_alone() -> None:
    table = pa.table({"text": ["x" * 100] * 10_000})
    part = table.slice(10, 20)
    packed = pack((len, [part]))
    assert len(packed) < 10_000 < len(pickle.dumps(part))
    function, (read,) = unpack(packed)
    assert function is len
    assert read.equals(part)


def test_a_local_function_travels_by_value() -> None:
    offset = 3
    assert unpack(pack(lambda item: item + offset))(4) == 7


def test_shards_follow_the_content() -> None:
    texts = ["bb", "a", "cccc", "aa", "ddd"]
    cut = [[texts[at] for at in part] for part in shards(texts, 2)]
    assert cut == [["cccc", "ddd"], ["aa", "bb"], ["a"]]
    assert cut == [[texts[::-1][at] for at in part] for part in shards(texts[::-1], 2)]
    assert shards([], 2) == []


def test_a_shard_holds_something() -> None:
    with pytest.raises(DataError, match="shard_items"):
        shards(["a"], 0)
