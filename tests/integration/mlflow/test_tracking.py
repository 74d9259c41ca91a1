"""Runs, live metrics and failures against a real MLflow server."""

import math
import socket
import time
from pathlib import Path

import httpx
import pytest

from infra.digest import digest_bytes
from infra.errors import AssayError, ConfigError, Unavailable
from infra.tracking import MetricBuffer, PhaseRun, Tracking
from infra.tracking.client import open_client
from tests.integration.mlflow.conftest import free_port

DIGEST = digest_bytes(b"data")


def test_no_server_is_unavailable_and_soon() -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="does not answer"):
        Tracking(f"http://127.0.0.1:{free_port()}").check()
    assert time.monotonic() - started < 30


def test_a_server_that_never_answers_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(Unavailable, match="does not answer"):
            Tracking(f"http://127.0.0.1:{silent.getsockname()[1]}").check()


@pytest.mark.parametrize("url", ["", "sqlite:///x.db", "file:///tmp", "databricks"])
def test_only_a_server_is_a_place_for_runs(url: str) -> None:
    with pytest.raises(ConfigError, match="expected an http or https URL"):
        Tracking(url).check()


def test_a_second_value_for_a_parameter_is_refused(server: str) -> None:
    with Tracking(server).phase("params", "develop", {}) as run:
        run.params({"epochs": 3})
        run.params({"epochs": 3})
        with pytest.raises(AssayError, match="MLflow refused") as caught:
            run.params({"epochs": 4})
        assert not isinstance(caught.value, Unavailable)


def test_a_failed_phase_is_marked_and_its_error_passes_on(server: str) -> None:
    tracking = Tracking(server)
    for error, status in ((ValueError("x"), "FAILED"), (KeyboardInterrupt(), "KILLED")):
        with pytest.raises(type(error)), tracking.phase("ends", "validate", {"n": status}):
            raise error
        found = tracking.find("ends", {"n": status})
        assert [(run.status, run.tags["ended.by"]) for run in found] == [(status, type(error).__name__)]


def test_the_first_error_is_not_hidden_by_a_silent_server(
    monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ValueError, match="the real reason"):
        _fail_while_the_server_goes_away(server)


def _fail_while_the_server_goes_away(server: str) -> None:
    with Tracking(server).phase("gone", "x", {}) as run:
        object.__setattr__(run, "url", f"http://127.0.0.1:{free_port()}")  # as seen from this run
        raise ValueError("the real reason")


def test_a_phase_leaves_everything_in_its_run(server: str) -> None:
    tracking = Tracking(server)
    tags = {"lifecycle.id": "L1", "config.sha256": DIGEST}
    with tracking.phase("triage", "finetune", tags) as run:
        run.params({"epochs": 3, "none": None, "long": "x" * 9000, **{f"p{n}": n for n in range(150)}})
        run.metrics({"final_loss": 0.25})
        run.dataset("attack-stix-train", DIGEST, "train")
        run.artifact("developed.json", {"name": "a", "labels": ["ü"]})
    (found,) = tracking.find("triage", {"lifecycle.id": "L1", "phase": "finetune"})
    assert (found.id, found.status, found.tags["config.sha256"]) == (run.id, "FINISHED", DIGEST)
    assert found.metrics == {"final_loss": 0.25}
    assert tracking.find("triage", {"lifecycle.id": "L2"}) == []
    assert tracking.find("nobody", {}) == []
    client = open_client(server)
    data = client.get_run(run.id)
    assert data.data.params["epochs"] == "3"
    assert len(data.data.params["long"]) == 6000
    (dataset,) = data.inputs.dataset_inputs
    assert {tag.key: tag.value for tag in dataset.tags}["sha256"] == DIGEST
    content = httpx.get(
        f"{server}/get-artifact", params={"path": "developed.json", "run_id": run.id}, trust_env=False
    )
    assert content.json() == {"name": "a", "labels": ["ü"]}


def test_searches_that_cannot_be_escaped_are_refused(server: str) -> None:
    with Tracking(server).phase("quotes", "x", {}), pytest.raises(ConfigError, match="quote"):
        Tracking(server).find("quotes", {"a": "x' or 1=1"})


def test_every_live_point_arrives_in_order(server: str) -> None:
    with Tracking(server).phase("live", "finetune", {}) as run, run.live_metrics() as live:
        live.flush_s = 0.05
        for step in range(1, 301):
            live.log(step, {"loss": 1 / step, "learning_rate": 0.1})
            time.sleep(0.001)
    history = open_client(server).get_metric_history(run.id, "loss")
    assert [(point.step, round(point.value, 6)) for point in history] == [
        (step, round(1 / step, 6)) for step in range(1, 301)
    ]


def test_training_goes_on_while_the_server_is_away_and_nothing_is_lost(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    run = Tracking(server).start("away", "finetune", {})
    lost = PhaseRun(f"http://127.0.0.1:{free_port()}", run.id)
    buffer = MetricBuffer(lost.log, flush_s=0)
    started = time.monotonic()
    for step in range(200):
        buffer.log(step, {"loss": 1.0})
    assert time.monotonic() - started < 1
    with pytest.raises(Unavailable):
        buffer.close()
    buffer.write = run.log
    buffer.close()
    assert len(open_client(server).get_metric_history(run.id, "loss")) == 200


def test_values_that_are_no_numbers_arrive_as_such(server: str) -> None:
    with Tracking(server).phase("nan", "finetune", {}) as run:
        run.metrics({"loss": math.nan})
        with pytest.raises(ValueError, match="JSON"):
            run.artifact("x.json", {"loss": math.nan})
    assert math.isnan(open_client(server).get_run(run.id).data.metrics["loss"])


def test_nothing_is_written_where_the_process_stands(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Tracking(server).phase("tidy", "develop", {}) as run:
        run.artifact("a.json", {})
    assert list(tmp_path.iterdir()) == []
