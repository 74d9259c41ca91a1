"""Ports: taken ones move or are refused by name, remembered ones stay, no two services share one."""

import os
import socket
from collections.abc import Iterator

import pytest

from infra.errors import ConfigError
from infra.stack.ports import choose_ports, holder, is_free, listens

LOCAL = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as squatter:
        squatter.bind((LOCAL, 0))
        squatter.listen()
        yield squatter.getsockname()[1]


def test_taken_fixed_port_names_port_service_and_process(taken: int) -> None:
    with pytest.raises(
        ConfigError, match=rf"{taken} for model-server is taken by .*\(pid {os.getpid()}\)"
    ) as e:
        choose_ports(LOCAL, {"model-server": taken}, fixed=True)
    assert "ports.model_server" in e.value.hint


def test_same_fixed_port_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="two services"):
        choose_ports(LOCAL, {"a": 45_671, "b": 45_671}, fixed=True)


def test_no_port_left_is_refused() -> None:
    with socket.socket() as squatter:
        squatter.bind((LOCAL, 65_535))
        squatter.listen()
        with pytest.raises(ConfigError, match="no free port"):
            choose_ports(LOCAL, {"a": 65_535})


def test_foreign_host_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ports\.host"):
        is_free("not-a-host.invalid", 80)


def test_taken_port_moves_on(taken: int) -> None:
    assert choose_ports(LOCAL, {"a": taken})["a"] > taken


def test_services_that_prefer_the_same_port_get_different_ones(taken: int) -> None:
    chosen = choose_ports(LOCAL, {"a": taken, "b": taken})
    assert len({taken, *chosen.values()}) == 3


def test_remembered_port_comes_first_unless_taken(taken: int) -> None:
    free = choose_ports(LOCAL, {"a": taken})["a"]
    assert choose_ports(LOCAL, {"a": 45_000}, remembered={"a": free}) == {"a": free}
    assert choose_ports(LOCAL, {"a": taken}, remembered={"a": taken})["a"] > taken


def test_listener_is_known(taken: int) -> None:
    assert not is_free(LOCAL, taken)
    assert f"pid {os.getpid()}" in holder(taken)
    assert listens(os.getpid(), taken)
    assert not listens(os.getppid(), 1)
