"""Runs, parameters, metrics and small artefacts in MLflow; bytes and truth lie elsewhere.

with Tracking(url).phase("triage", "finetune", {"config.sha256": digest}) as run:
    run.params({"epochs": 3})
    with run.live_metrics() as live:
        live.log(step, {"loss": 0.4})

Every call that MLflow does not answer raises Unavailable after bounded retries. `mlflow` costs seconds to
import, so that happens at the first call and not here.
"""

from infra.tracking.metrics import MetricBuffer
from infra.tracking.runs import PhaseRun
from infra.tracking.server import RunSummary, Tracking

__all__ = ["MetricBuffer", "PhaseRun", "RunSummary", "Tracking"]
