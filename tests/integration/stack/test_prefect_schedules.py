"""The pinned versions start a Prefect server that really schedules.

Prefect 3.8.8 with SQLAlchemy 2.1 starts, answers and runs flows, but never schedules one: only this shows it.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.config import load_project
from infra.stack.control import Blueprint, bring_up, down
from infra.stack.readiness import probe
from infra.stack.record import log_file
from infra.stack.services import local_services
from tests.integration.stack.conftest import free_port


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def prefect_url(home: Path) -> Iterator[str]:
    project = load_project(environ={"ASSAY_HOME": str(home)})
    others = dict.fromkeys(("mlflow", "model-server", "gateway"), 1)
    blueprint = Blueprint(
        home,
        {"prefect": free_port()},
        lambda ports: tuple(
            service for service in local_services(project, {**others, **ports}) if service.name == "prefect"
        ),
    )
    yield bring_up(blueprint).urls["prefect"]
    assert down(home)


def post(url: str, body: object):
    return json.loads(probe(url, 30, body=json.dumps(body)))


@pytest.mark.timeout(180)
def test_cron_deployment_gets_scheduled_runs(prefect_url: str, home: Path) -> None:
    api = f"{prefect_url}/api"
    flow = post(f"{api}/flows/", {"name": "nightly"})["id"]
    schedule = {"cron": "0 2 * * *", "timezone": "Europe/Berlin"}
    deployment = post(
        f"{api}/deployments/",
        {
            "name": "nightly",
            "flow_id": flow,
            "entrypoint": "flows.lifecycle:lifecycle",
            "schedules": [{"schedule": schedule, "active": True}],
        },
    )["id"]
    wanted = {"flow_runs": {"deployment_id": {"any_": [deployment]}}, "sort": "EXPECTED_START_TIME_ASC"}
    deadline = time.monotonic() + 75
    while len(runs := post(f"{api}/flow_runs/filter", wanted)) < 3:
        assert time.monotonic() < deadline, log_file(home, "prefect").read_text()[-3000:]
        time.sleep(1)
    assert {run["state"]["type"] for run in runs} == {"SCHEDULED"}
    # 02:00 in Berlin, whatever the season.
    assert all(re.search(r"T0[01]:00:00", run["expected_start_time"]) for run in runs)


@pytest.mark.timeout(180)
def test_ui_is_served_and_calls_its_own_server(prefect_url: str) -> None:
    assert b"<html" in probe(f"{prefect_url}/", 30).lower()
    settings = json.loads(probe(f"{prefect_url}/ui-settings", 30))
    assert settings["api_url"] == f"{prefect_url}/api"
