"""The five services of an installation, as data: what runs, with which environment, when it is ready."""

import os
import secrets
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from infra import atomic
from infra.config import Project
from infra.errors import ConfigError
from infra.stack.record import Check, Service

POOL = "assay"
WORKER = "assay"
# A nightly, the deploy run that it starts, and two started by people.
_WORKER_LIMIT = 4

_QUIET = {
    "DO_NOT_TRACK": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    "HF_HUB_OFFLINE": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "NO_COLOR": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PREFECT_LOGGING_COLORS": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Empty is off: without written bytecode every start compiles Prefect and MLflow anew (+100 % CPU).
    "PYTHONDONTWRITEBYTECODE": "",
    "PYTHONUNBUFFERED": "1",
    "TRANSFORMERS_OFFLINE": "1",
}


def preferred_ports(project: Project) -> dict[str, int]:
    """The configured port of each service that listens."""
    ports = project.ports
    return {
        "prefect": ports.prefect,
        "mlflow": ports.mlflow,
        "model-server": ports.model_server,
        "gateway": ports.gateway,
    }


def local_services(project: Project, ports: Mapping[str, int]) -> tuple[Service, ...]:
    """The services of a project on given ports, in the order in which they should get the processor."""
    host, home = project.ports.host, project.home
    urls = {name: f"http://{_in_url(host)}:{port}" for name, port in ports.items()}
    return (
        _prefect(home, host, ports["prefect"], urls["prefect"]),
        _mlflow(home, host, ports["mlflow"], urls["mlflow"]),
        _worker(home, urls),
        _model_server(project, ports["model-server"], urls["model-server"]),
        _gateway(project, ports["gateway"], urls),
    )


def client_environment(home: Path, prefect_api_url: str, mlflow_url: str) -> dict[str, str]:
    """Environment variables with which a process works against this stack (worker, flows, scripts)."""
    return {
        "ASSAY_HOME": str(home),
        "MLFLOW_TRACKING_URI": mlflow_url,
        "PREFECT_API_URL": prefect_api_url,
        "PREFECT_HOME": str(home / "prefect"),
    }


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _python(*arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *arguments)


def _prefect(home: Path, host: str, port: int, url: str) -> Service:
    state = home / "prefect"
    return Service(
        name="prefect",
        command=_python("prefect", "server", "start", "--host", host, "--port", str(port)),
        port=port,
        url=url,
        # Reads the database, which `/api/health` does not.
        check=Check(f"{url}/api/deployments/filter", body='{"limit": 1}'),
        environment={
            **_QUIET,
            "PREFECT_HOME": str(state),
            "PREFECT_API_URL": f"{url}/api",
            "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{state / 'prefect.db'}",
            "PREFECT_UI_API_URL": f"{url}/api",
            # The default is inside the installed package.
            "PREFECT_UI_STATIC_DIRECTORY": str(state / "ui"),
            # The default lets any web page that a person has open read and steer this server.
            "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{url},http://localhost:{port}",
        },
    )


def _mlflow(home: Path, host: str, port: int, url: str) -> Service:
    state = home / "mlflow"
    # One worker, no job executor: 13.6 instead of 52 CPU seconds to start, 0.4 instead of 1.6 GB.
    arguments = ("--workers", "1", "--backend-store-uri", f"sqlite:///{state / 'mlflow.db'}")
    artifacts = ("--artifacts-destination", str(state / "artifacts"), "--serve-artifacts")
    return Service(
        name="mlflow",
        command=_python("mlflow", "server", "--host", host, "--port", str(port), *arguments, *artifacts),
        port=port,
        url=url,
        # MLflow's /health answers 200 while every other call fails.
        check=Check(f"{url}/api/2.0/mlflow/experiments/search", body='{"max_results": 1}'),
        environment={
            **_QUIET,
            "MLFLOW_DISABLE_AGENT_HINT": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
            "MLFLOW_TRACKING_URI": url,
        },
    )


def _worker(home: Path, urls: Mapping[str, str]) -> Service:
    api = f"{urls['prefect']}/api"
    arguments = ("--pool", POOL, "--type", "process", "--name", WORKER, "--limit", str(_WORKER_LIMIT))
    return Service(
        name="worker",
        command=_python("prefect", "worker", "start", *arguments, "--install-policy", "never"),
        check=Check(f"{api}/work_pools/{POOL}/workers/filter", body="{}", kind="worker", worker=WORKER),
        after="prefect",
        sole=False,
        environment={
            **_QUIET,
            **client_environment(home, api, urls["mlflow"]),
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "10",
            # A run that a person starts in the UI begins after 2 seconds, not 10 (the default).
            "PREFECT_WORKER_QUERY_SECONDS": "2",
        },
    )


def _settings(project: Project) -> dict[str, str]:
    # A profile with its own store, ledger or trust policy must be the gateway's too. Any other one is not
    # passed on: `assay up --profile blocked` shall not restart what serves.
    own = project.store or project.ledger or project.trust != Project.model_fields["trust"].default
    return {"ASSAY_HOME": str(project.home), **({"ASSAY_PROFILE": project.profile} if own else {})}


def _model_server(project: Project, port: int, url: str) -> Service:
    home, host = project.home, project.ports.host
    return Service(
        name="model-server",
        command=_python("infra.serving", "--home", str(home), "--host", host, "--port", str(port)),
        port=port,
        url=url,
        check=Check(f"{url}/health/ready"),
        environment={
            **_QUIET,
            **_settings(project),
            "OMP_NUM_THREADS": str(project.serving.threads),
        },
    )


def _gateway(project: Project, port: int, urls: Mapping[str, str]) -> Service:
    home, host, url = project.home, project.ports.host, urls["gateway"]
    arguments = ("--home", str(home), "--host", host, "--port", str(port), "--upstream", urls["model-server"])
    return Service(
        name="gateway",
        command=_python("infra.gateway", *arguments),
        port=port,
        url=url,
        check=Check(f"{url}/health/ready"),
        environment={**_QUIET, **_settings(project)},
        stop_s=int(project.gateway.drain_s) + 5,
    )


def ensure_internal_token(home: Path) -> Path:
    """The file with the secret that gateway and model server share, created (0600) when absent.

    Raises ConfigError when it is empty, a link, or readable by others.
    """
    path = home / "keys" / "internal.token"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists() and not path.is_symlink():
        atomic.write_text(path, secrets.token_urlsafe(32) + "\n")
    state = path.lstat()
    if not stat.S_ISREG(state.st_mode) or state.st_uid != os.getuid() or state.st_size < 16:
        raise ConfigError(f"{path}: not a private token file", hint="remove it and run `assay up`")
    if state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{path} can be read by others", hint=f"chmod 600 {path}")
    return path
