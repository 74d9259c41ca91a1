"""run/stack.json: comes back as it was; a damaged one is no stack, not a crash."""

from pathlib import Path

import pytest

from infra.config import load_project
from infra.errors import ConfigError, Unavailable
from infra.stack import record
from infra.stack.record import Stack
from infra.stack.services import ensure_internal_token, local_services, preferred_ports
from tests.conftest import Configure


def stack(home: Path) -> Stack:
    project = load_project(environ={"ASSAY_HOME": str(home)})
    ports = preferred_ports(project)
    return Stack(home, local_services(project, ports), ports, 17)


def test_comes_back_as_it_was(tmp_path: Path) -> None:
    before = stack(tmp_path)
    record.write(before)
    assert record.read(tmp_path) == before
    assert (tmp_path / "run" / "stack.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 2}', '{"format": 1, "services": [{}]}'])
def test_damaged_file_is_no_stack(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text(text)
    assert record.read(tmp_path) is None


def test_endpoints_of_our_services(tmp_path: Path) -> None:
    found = record.endpoints_of(stack(tmp_path))
    assert found.prefect_api_url == "http://127.0.0.1:4200/api"
    assert found.gateway_url == "http://127.0.0.1:8080"


def test_stack_without_our_services_has_no_endpoints(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="prefect"):
        record.endpoints_of(Stack(tmp_path, (), {}))


def test_services_say_what_they_need(tmp_path: Path) -> None:
    services = {service.name: service for service in stack(tmp_path).services}
    assert services["worker"].after == "prefect"
    assert not services["worker"].sole
    # MLflow's own health answers 200 while its database is gone.
    assert services["mlflow"].check.url.endswith("/experiments/search")
    assert services["prefect"].environment["PREFECT_SERVER_CORS_ALLOWED_ORIGINS"] != "*"


def test_token_is_made_once_and_private(tmp_path: Path) -> None:
    path = ensure_internal_token(tmp_path)
    text = path.read_text()
    assert len(text) > 32
    assert path.stat().st_mode & 0o077 == 0
    assert ensure_internal_token(tmp_path).read_text() == text


def test_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ensure_internal_token(tmp_path).chmod(0o644)
    with pytest.raises(ConfigError, match="read by others"):
        ensure_internal_token(tmp_path)


@pytest.mark.parametrize("kind", ["empty", "link"])
def test_token_that_is_no_private_file_is_refused(tmp_path: Path, kind: str) -> None:
    token = tmp_path / "keys" / "internal.token"
    token.parent.mkdir()
    if kind == "empty":
        token.touch(mode=0o600)
    else:
        (tmp_path / "elsewhere").write_text("x" * 40)
        token.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="not a private token file"):
        ensure_internal_token(tmp_path)


def test_only_a_profile_with_its_own_state_reaches_the_gateway(tmp_path: Path, configure: Configure) -> None:
    def gateway(**variables: str) -> dict[str, str]:
        project = load_project(profile="blocked", environ={"ASSAY_HOME": str(tmp_path), **variables})
        services = local_services(project, preferred_ports(project))
        return dict(next(service for service in services if service.name == "gateway").environment)

    assert "ASSAY_PROFILE" not in gateway()
    configs = configure(ledger="postgresql://db/ledger")
    assert gateway(ASSAY_CONFIGS=str(configs))["ASSAY_PROFILE"] == "blocked"
