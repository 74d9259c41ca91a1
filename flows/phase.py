"""What every phase does around its DAG: open the workspace, hold the lock, track the run, redact logs.

with phase("develop", project, profile) as current:
    current.workspace, current.run
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from prefect.runtime import flow_run

from infra.locks import hold
from infra.logs import redact_logs
from infra.stack import Endpoints, endpoints
from infra.tracking import PhaseRun, Tracking
from infra.workspace import Workspace, open_workspace


@dataclass(frozen=True)
class Phase:
    """An open phase."""

    workspace: Workspace
    endpoints: Endpoints
    run: PhaseRun


@contextlib.contextmanager
def phase(name: str, project: str, profile: str, *, lock: str = "lifecycle") -> Iterator[Phase]:
    """The phase's surroundings; raises Unavailable when another run of this project is at work."""
    redact_logs()
    workspace = open_workspace(project, profile)
    running = endpoints(workspace.home)
    tags = {
        "phase": name,
        "project": workspace.project.name,
        "profile": profile,
        "config.sha256": workspace.project.digest,
        "prefect.flow_run": str(flow_run.id or ""),
    }
    holder = f"{name} of {workspace.project.name}"
    with (
        hold(workspace.run, f"{lock}-{workspace.project.name}", holder),
        Tracking(running.mlflow_url).phase(workspace.project.name, name, tags) as run,
    ):
        run.artifact("config.json", workspace.project.model_dump(mode="json"))
        yield Phase(workspace, running, run)
