"""Starts, watches and stops the local services: Prefect, its worker, MLflow, model server, gateway.

up(project).gateway_url    # idempotent; every service has answered a real call
status(project.home)       # each service: state, pid, url, ready, restarts
down(project.home)         # leaves no process
"""

from infra.stack.control import down, endpoints, status, up
from infra.stack.readiness import probe
from infra.stack.record import Endpoints, ServiceStatus, StackStatus
from infra.stack.services import client_environment, ensure_internal_token

__all__ = [
    "Endpoints",
    "ServiceStatus",
    "StackStatus",
    "client_environment",
    "down",
    "endpoints",
    "ensure_internal_token",
    "probe",
    "status",
    "up",
]
