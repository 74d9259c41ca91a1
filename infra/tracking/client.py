"""A quiet MLflow client with short timeouts, and its failures as our errors; used here and by the registry.

client = open_client(url)
with mlflow_answers(url):
    client.search_experiments(max_results=1)
"""

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from infra.errors import AssayError, ConfigError, Unavailable

if TYPE_CHECKING:
    from mlflow import MlflowClient

SHA256_TAG = "sha256"
_TIMEOUT_S, _RETRIES, _BACKOFF = "10", "2", "1"


def open_client(url: str) -> "MlflowClient":
    """A quiet client with short timeouts, without global state; raises ConfigError for an unusable URL."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise ConfigError(f"MLflow: got {url!r}, expected an http or https URL", hint="see `assay status`")
    _prepare_environment(url)
    from mlflow import MlflowClient

    # It tells at length that it waits for things that are there at once.
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    return MlflowClient(tracking_uri=url, registry_uri=url)


def _prepare_environment(url: str) -> None:
    """MLflow takes these settings from the environment alone; a person's own values win."""
    quiet = {
        "MLFLOW_HTTP_REQUEST_TIMEOUT": _TIMEOUT_S,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": _RETRIES,
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": _BACKOFF,
        "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_AGENT_HINT": "true",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    for name, value in quiet.items():
        os.environ.setdefault(name, value)
    host = urlsplit(url).hostname or ""
    passed = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    if host in ("127.0.0.1", "localhost", "::1") and host not in passed.split(","):
        # A company's proxy knows nothing of our loopback address.
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, [passed, host]))


def experiment_of(client: "MlflowClient", project: str) -> str:
    """The id of a project's experiment, created or restored when need be."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(project)
    if found is None:
        try:
            return str(client.create_experiment(project))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(project)  # another process was first
    if found is None:
        raise Unavailable(f"MLflow has no experiment {project!r} and makes none", hint="run again")
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


@contextlib.contextmanager
def mlflow_answers(url: str) -> Iterator[None]:
    """Turn MLflow's failures into Unavailable (no answer, 429, 5xx) or AssayError (request refused)."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except MlflowException as error:
        message = " ".join(str(error.message).split())[:300]
        status = http_status(error)
        if status >= 500 or status == 429:
            hint = "see `assay status`; finished steps are reused when you run again"
            raise Unavailable(f"MLflow at {url} does not answer: {message}", hint=hint) from error
        raise AssayError(f"MLflow refused ({error.error_code}): {message}") from error
    except (RequestException, ConnectionError, TimeoutError) as error:
        raise Unavailable(f"MLflow at {url} does not answer: {error}", hint="see `assay status`") from error


def http_status(error: Any) -> int:
    """The HTTP status of an MlflowException."""
    return int(error.get_http_status_code())


def tag_filter(tags: Mapping[str, str]) -> str:
    """MLflow's filter for runs with all these tags; raises ConfigError for quotes, which it cannot escape."""
    for text in (*tags, *tags.values()):
        if set(text) & set("'\"`\\"):
            raise ConfigError(f"tag {text!r} has a quote or backslash, which MLflow cannot search for")
    return " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
