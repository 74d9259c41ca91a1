"""The pinned versions start a Prefect server that really schedules.

Prefect 3.8.8 with SQLAlchemy 2.1 starts, answers and runs flows, but never schedules one: only this shows it.
"""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas import FlowRun, StateType
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.schedules import CronSchedule

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


@pytest.mark.timeout(180)
def test_cron_deployment_gets_scheduled_runs(prefect_url: str, home: Path) -> None:
    # Prefect's own client tries again at a 503, which a server busy with its own writes to SQLite answers.
    with SyncPrefectClient(f"{prefect_url}/api") as client:
        deployment = nightly_deployment(client)
        chosen = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
        deadline = time.monotonic() + 75
        runs: list[FlowRun] = []
        while len(runs) < 3:
            assert time.monotonic() < deadline, log_file(home, "prefect").read_text()[-3000:]
            time.sleep(1)
            runs = client.read_flow_runs(deployment_filter=chosen)
    assert {run.state_type for run in runs} == {StateType.SCHEDULED}
    berlin = ZoneInfo("Europe/Berlin")
    starts = [run.expected_start_time.astimezone(berlin) for run in runs if run.expected_start_time]
    assert {(start.hour, start.minute) for start in starts} == {(2, 0)}
    assert len(starts) == len(runs)


def nightly_deployment(client: SyncPrefectClient) -> uuid.UUID:
    return client.create_deployment(
        flow_id=client.create_flow_from_name("nightly"),
        name="nightly",
        entrypoint="flows.lifecycle:lifecycle",
        schedules=[
            DeploymentScheduleCreate(
                schedule=CronSchedule(cron="0 2 * * *", timezone="Europe/Berlin"), active=True
            )
        ],
    )


@pytest.mark.timeout(180)
def test_ui_is_served_and_calls_its_own_server(prefect_url: str) -> None:
    assert b"<html" in probe(f"{prefect_url}/", 30).lower()
    settings = json.loads(probe(f"{prefect_url}/ui-settings", 30))
    assert settings["api_url"] == f"{prefect_url}/api"


_BLOCKS = """
from prefect.blocks.system import Secret
from infra.config.secrets import resolve
from infra.errors import ConfigError, Unavailable
import os
Secret(value="value-of-block").save("pager", overwrite=True)
Secret(value={"a": "dictionary"}).save("fields", overwrite=True)
print(resolve("prefect:pager"))
for name in ("absent", "fields"):
    try:
        resolve(f"prefect:{name}")
    except ConfigError as error:
        print(error.message)
"""


@pytest.mark.timeout(180)
def test_a_secret_block_is_a_secret(prefect_url: str, home: Path) -> None:
    client = {"PREFECT_API_URL": f"{prefect_url}/api", "PREFECT_HOME": str(home / "client")}
    environment = {**os.environ, **client}
    command = [sys.executable, "-c", _BLOCKS]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "value-of-block",
        "secret prefect:absent is not there",
        "secret prefect:fields is not text",
    ]
    environment["PREFECT_API_URL"] = "http://127.0.0.1:1/api"
    code = "from infra.config.secrets import resolve; resolve('prefect:pager')"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "infra.errors.Unavailable: secret prefect:pager: Prefect does not answer" in done.stderr
