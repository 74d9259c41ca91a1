"""One open run: parameters, metrics, tags, small documents and data sets, each a short request."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from infra.digest import hex_of
from infra.errors import AssayError
from infra.tracking.client import SHA256_TAG, mlflow_answers, open_client
from infra.tracking.metrics import MetricBuffer, Point, now_ms

MOST_TAG, MOST_PARAM = 5000, 6000
"""Characters that every back end of MLflow takes."""
_MOST_METRICS, _MOST_PARAMS = 1000, 100  # limits of one log_batch request
_DATASET_DIGEST_CHARACTERS = 32  # the column is short; the whole digest goes into a tag


@dataclass(frozen=True)
class PhaseRun:
    """A run that is open; every method raises Unavailable when MLflow does not answer."""

    url: str
    id: str

    def params(self, values: Mapping[str, object]) -> None:
        """Log parameters, once: MLflow refuses another value for the same name."""
        from mlflow.entities import Param

        texts = as_texts(values, MOST_PARAM)
        items = [Param(key, value) for key, value in texts.items()]
        with mlflow_answers(self.url):
            for start in range(0, len(items), _MOST_PARAMS):
                batch = items[start : start + _MOST_PARAMS]
                open_client(self.url).log_batch(self.id, params=batch, synchronous=True)

    def metrics(self, values: Mapping[str, float], *, step: int = 0) -> None:
        """Log one value for each metric."""
        self.log([(name, value, step, now_ms()) for name, value in values.items()])

    def log(self, points: list[Point]) -> None:
        """Log (name, value, step, time in ms) points in as few requests as possible."""
        from mlflow.entities import Metric

        metrics = [Metric(name, float(value), moment, step) for name, value, step, moment in points]
        with mlflow_answers(self.url):
            for start in range(0, len(metrics), _MOST_METRICS):
                batch = metrics[start : start + _MOST_METRICS]
                open_client(self.url).log_batch(self.id, metrics=batch, synchronous=True)

    @contextlib.contextmanager
    def live_metrics(self) -> Iterator["MetricBuffer"]:
        """A buffer for a training loop; what is left is written when the block ends."""
        buffer = MetricBuffer(self.log)
        try:
            yield buffer
        except BaseException:
            with contextlib.suppress(AssayError):
                buffer.close()
            raise
        buffer.close()

    def tag(self, tags: Mapping[str, object]) -> None:
        """Set tags, replacing those of the same name."""
        from mlflow.entities import RunTag

        with mlflow_answers(self.url):
            items = [RunTag(key, value) for key, value in as_texts(tags, MOST_TAG).items()]
            open_client(self.url).log_batch(self.id, tags=items, synchronous=True)

    def artifact(self, name: str, value: Any) -> None:
        """A small JSON document beside the run; raises Unavailable."""
        self.text(name, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def text(self, name: str, text: str) -> None:
        """A small text document beside the run."""
        with mlflow_answers(self.url):
            open_client(self.url).log_text(self.id, text, name)

    def dataset(self, name: str, digest: str, context: str) -> None:
        """The data that this run read, by our digest: MLflow's own covers the first 10,000 rows only."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        source = json.dumps({"sha256": digest})
        entity = Dataset(name, hex_of(digest)[:_DATASET_DIGEST_CHARACTERS], "assay", source)
        tags = [InputTag("mlflow.data.context", context), InputTag(SHA256_TAG, digest)]
        with mlflow_answers(self.url):
            open_client(self.url).log_inputs(self.id, datasets=[DatasetInput(entity, tags)])

    def finish(self, status: str) -> None:
        """End the run: FINISHED, FAILED or KILLED."""
        with mlflow_answers(self.url):
            open_client(self.url).set_terminated(self.id, status)


def as_texts(values: Mapping[str, object], longest: int) -> dict[str, str]:
    """Values as MLflow keeps them: text, cut where it is longer than the back end takes."""
    texts = {name: "" if value is None else str(value) for name, value in values.items()}
    return {name: text if len(text) <= longest else text[: longest - 1] + "…" for name, text in texts.items()}
