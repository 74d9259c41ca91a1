"""Small real services under a real supervisord, in a home of their own."""

import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from infra.stack import processes
from infra.stack.control import Blueprint, down
from infra.stack.record import Check, Service

Builder = Callable[[Mapping[str, int]], tuple[Service, ...]]


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def web(name: str, port: int, *, after: str | None = None, command: tuple[str, ...] = ()) -> Service:
    url = f"http://127.0.0.1:{port}"
    serve = (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1")
    return Service(
        name=name, command=command or serve, port=port, url=url, check=Check(url), after=after, ready_s=30
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    home = tmp_path / "a home"
    home.mkdir(mode=0o700)
    yield home
    down(home)
    assert processes.marked(home) == []


@pytest.fixture
def blueprint(home: Path) -> Blueprint:
    return Blueprint(
        home=home,
        preferred={"one": free_port(), "two": free_port()},
        services=lambda ports: (web("one", ports["one"]), web("two", ports["two"], after="one")),
    )
