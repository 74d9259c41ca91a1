"""Point this process at the running stack before Prefect, MLflow or torch are imported."""

import os
from pathlib import Path

from infra.stack import Endpoints, client_environment

_QUIET = {
    "DO_NOT_TRACK": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_DISABLE_AGENT_HINT": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Spinning OpenMP threads take the processor from the services beside them.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def enter_stack(home: Path, endpoints: Endpoints) -> None:
    """Set the variables that libraries read at import; the person's own quiet settings win."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    os.environ.update(client_environment(home, endpoints.prefect_api_url, endpoints.mlflow_url))
