"""supervisord.conf as text: quoting, and what it cannot hold is refused."""

import configparser
import shlex
from pathlib import Path

import pytest

from infra.errors import ConfigError
from infra.stack.configuration import configuration, socket_path
from infra.stack.record import Check, Service

HOME = Path("/srv/assay")


def service(**changes: object) -> Service:
    values: dict[str, object] = {"name": "one", "command": ("/bin/true",), "check": Check("http://x")}
    return Service(**{**values, **changes})  # type: ignore[arg-type]  # test data


def section(text: str, name: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(text)
    return dict(parser.items(name))


@pytest.mark.parametrize("character", list("\"';#%?\\\n"))
def test_home_that_the_file_cannot_hold_is_refused(character: str) -> None:
    with pytest.raises(ConfigError, match="ASSAY_HOME"):
        configuration(Path(f"/srv/a{character}b"), [])


@pytest.mark.parametrize("value", ["a\nautostart=false", "a ; comment", "a #comment"])
def test_value_that_would_become_something_else_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="cannot hold"):
        configuration(HOME, [service(environment={"NAME": value})])
    with pytest.raises(ConfigError, match="cannot hold"):
        configuration(HOME, [service(command=("/bin/echo", value))])


def test_command_survives_quoting() -> None:
    command = ("/bin/echo", "a b", "c'd", "100%")
    text = section(configuration(HOME, [service(command=command, sole=False)]), "program:one")["command"]
    assert shlex.split(text.replace("%%", "%")) == list(command)


def test_sole_services_are_launched_after_their_leftovers() -> None:
    sole = section(configuration(HOME, [service()]), "program:one")["command"]
    assert "launch.py" in sole
    assert "launch.py" not in section(configuration(HOME, [service(sole=False)]), "program:one")["command"]


def test_only_services_without_a_need_start_by_themselves() -> None:
    text = configuration(HOME, [service(), service(name="two", after="one")])
    assert section(text, "program:one")["autostart"] == "true"
    assert section(text, "program:two")["autostart"] == "false"


def test_socket_is_private_and_short() -> None:
    assert section(configuration(HOME, []), "unix_http_server")["chmod"] == "0600"
    deep = Path("/srv") / ("d" * 120)
    assert len(str(socket_path(deep))) < 108
    assert socket_path(deep) != socket_path(deep / "other")
