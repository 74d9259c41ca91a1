"""Runs, parameters and metrics in MLflow; with `registry.py` the only module that imports it.

    with Tracking(url).phase("triage", "finetune", tags) as run, run.live_metrics() as live:
        live.log(step, {"loss": 0.7})       # sent in batches by a thread of its own
"""

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from infra.errors import Unavailable

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FLUSH_S = 1.0
_MOST_VALUE = 500
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
}


def client(url: str) -> "MlflowClient":
    """A client with short time-outs and no chatter."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=url, registry_uri=url)


@contextlib.contextmanager
def answering(url: str) -> Iterator[None]:
    """Turn MLflow's own errors about connections and servers into Unavailable."""
    import requests
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, requests.RequestException, ConnectionError) as error:
        raise Unavailable(f"MLflow at {url}: {str(error)[:300]}", hint="see `assay status`, then run again") from error


class LiveMetrics:
    """Metrics on their way: a bounded queue and one thread, so that training never waits for HTTP."""

    def __init__(self, run: "PhaseRun") -> None:
        self._run = run
        self._queue: queue.SimpleQueue[tuple[int, int, Mapping[str, float]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._drain, name="mlflow-metrics", daemon=True)
        self._thread.start()
        self.lost = 0
        """Values that MLflow did not take; the loss also lies in the adapter's record."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Queue the values of one step."""
        self._queue.put((int(time.time() * 1000), step, dict(values)))

    def close(self) -> None:
        """Send what is left."""
        self._queue.put(None)
        self._thread.join()

    def _drain(self) -> None:
        open_ended = True
        while open_ended:
            batch: list[tuple[int, int, Mapping[str, float]]] = []
            deadline = time.monotonic() + _FLUSH_S
            while open_ended and (wait := deadline - time.monotonic()) > 0:
                try:
                    item = self._queue.get(timeout=wait)
                except queue.Empty:
                    break
                if item is None:
                    open_ended = False
                else:
                    batch.append(item)
            if batch:
                self._send(batch)

    def _send(self, batch: list[tuple[int, int, Mapping[str, float]]]) -> None:
        try:
            self._run.log_batch(batch)
        except Unavailable:
            self.lost += sum(len(values) for _, _, values in batch)


class PhaseRun:
    """One MLflow run of one phase."""

    def __init__(self, url: str, client: "MlflowClient", run_id: str) -> None:
        self.url, self.id = url, run_id
        self._client = client

    def params(self, values: Mapping[str, Any]) -> None:
        """Parameters, once; long values are cut."""
        from mlflow.entities import Param

        with answering(self.url):
            self._client.log_batch(
                self.id, params=[Param(key, str(value)[:_MOST_VALUE]) for key, value in values.items()]
            )

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        """Metrics of one moment."""
        self.log_batch([(int(time.time() * 1000), step, values)])

    def log_batch(self, batch: list[tuple[int, int, Mapping[str, float]]]) -> None:
        """(time in ms, step, values) of several moments in one call; raises Unavailable."""
        from mlflow.entities import Metric

        metrics = [Metric(k, float(v), at, step) for at, step, values in batch for k, v in values.items()]
        with answering(self.url):
            self._client.log_batch(self.id, metrics=metrics)

    def artifact(self, name: str, content: object) -> None:
        """A JSON document beside the run."""
        text = content if isinstance(content, str) else json.dumps(content, indent=1, sort_keys=True)
        with answering(self.url):
            self._client.log_text(self.id, text, name)

    def dataset(self, name: str, digest: str, context: str) -> None:
        """A data set that this run used, by our own SHA-256: MLflow's digest reads 10,000 rows."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        entity = Dataset(name, digest.removeprefix("sha256:")[:32], "local", json.dumps({"sha256": digest}))
        tags = [InputTag("mlflow.data.context", context), InputTag("sha256", digest)]
        with answering(self.url):
            self._client.log_inputs(self.id, [DatasetInput(entity, tags)])

    @contextlib.contextmanager
    def live_metrics(self) -> Iterator[LiveMetrics]:
        """Metrics while something runs; everything is sent when the block ends."""
        live = LiveMetrics(self)
        try:
            yield live
        finally:
            live.close()


class Tracking:
    """The runs of an MLflow server."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextlib.contextmanager
    def phase(self, project: str, name: str, tags: Mapping[str, str]) -> Iterator[PhaseRun]:
        """A run in the project's experiment; FAILED when the block raises. Raises Unavailable."""
        with answering(self.url):
            mlflow = client(self.url)
            run = mlflow.create_run(_experiment(mlflow, project), run_name=name, tags=dict(tags))
        status = "FAILED"
        try:
            yield PhaseRun(self.url, mlflow, run.info.run_id)
            status = "FINISHED"
        finally:
            # The phase's own error is what counts, not that MLflow did not hear of it.
            with contextlib.suppress(Unavailable), answering(self.url):
                mlflow.set_terminated(run.info.run_id, status)


def _experiment(mlflow: "MlflowClient", name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = mlflow.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    try:
        return str(mlflow.create_experiment(name))
    except MlflowException:
        found = mlflow.get_experiment_by_name(name)  # another run created it first
        if found is None:
            raise
        return str(found.experiment_id)
