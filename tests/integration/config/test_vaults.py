"""Secrets of real services: found, absent, denied, binary, and a service that does not answer."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import httpx
import pytest

from infra.config.secrets import resolve, resolved_values
from infra.errors import ConfigError, Unavailable
from tests.aws import serving, sign_in


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sign_in(monkeypatch, tmp_path)


@pytest.fixture
def aws(credentials: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with serving() as (host, port):
        url = f"http://{host}:{port}"
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        httpx.post(f"{url}/moto-api/reset", trust_env=False)  # from the tests before
        client = boto3.client("secretsmanager", endpoint_url=url)
        client.create_secret(Name="team/plain", SecretString="value-of-plain")
        fields = json.dumps({"url": "https://pager.example/x", "number": 7})
        client.create_secret(Name="team/fields", SecretString=fields)
        client.create_secret(Name="team/binary", SecretBinary=b"\x00\x01")
        yield url


def test_text_and_fields(aws: str) -> None:
    assert resolve("aws:team/plain") == "value-of-plain"
    assert resolve("aws:team/fields#url") == "https://pager.example/x"
    assert {"value-of-plain", "https://pager.example/x"} <= resolved_values()


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("aws:team/none", "aws:team/none is not there"),
        ("aws:team/binary", "is binary"),
        ("aws:team/fields#absent", "has no field 'absent'"),
        ("aws:team/fields#number", "field 'number' is not text"),
        ("aws:team/plain#url", "has no field 'url'"),
        ("aws:", "unknown form"),
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(aws: str, reference: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        resolve(reference)
    assert "value-of-plain" not in refused.value.diagnostics()
    assert "pager.example" not in refused.value.diagnostics()


def test_no_credentials_is_a_question_of_configuration(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigError, match="credentials"):
        resolve("aws:team/plain")


def test_a_service_that_does_not_answer_may_answer_later(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable, match="aws:team/plain"):
        resolve("aws:team/plain")
