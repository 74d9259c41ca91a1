"""Lineage in MLflow by our own digests: which data, base and prompt an adapter's run consumed.

track_lineage(run, store, developed, adapter, provenance, parent=developed_run_id)

MLflow's dataset digests cover the first 10,000 rows and its open-source server knows no edge from a run to a
model, so whole digests go into tags and into the data sets' own tags.
"""

from typing import TYPE_CHECKING

from infra.store import Store
from tasks.records import Developed, TrainedAdapter
from tasks.records.provenance import Provenance

if TYPE_CHECKING:
    from infra.tracking import PhaseRun

# The context under which MLflow shows a data set that this run read.
_CONTEXTS: dict[str, str] = {"train": "training", "validation": "validation"}
_PARENT = "mlflow.parentRunId"


def lineage_tags(
    developed: Developed, adapter: TrainedAdapter, provenance: Provenance, parent: str | None
) -> dict[str, str]:
    """Tags of the run that trained, or that found, this adapter; `parent` is develop's run."""
    tags = {
        "adapter.sha256": adapter.digest,
        "base.sha256": developed.base.digest,
        "base.name": developed.base.name,
        "base.licence": developed.base.licence,
        "dataset.sha256": developed.dataset.digest,
        "dataset.licence": developed.dataset.licence,
        "prompt.sha256": developed.prompt.digest,
        "requirements.sha256": developed.requirements.digest,
        "provenance.sha256": provenance.statement,
        "mlbom.sha256": provenance.mlbom,
        "environment.sha256": provenance.environment,
        "trained.run": adapter.run_id,
    }
    return {**tags, _PARENT: parent} if parent else tags


def track_lineage(
    run: "PhaseRun",
    store: Store,
    developed: Developed,
    adapter: TrainedAdapter,
    provenance: Provenance,
    *,
    parent: str | None = None,
) -> None:
    """Show data sets, base and parent on the run, and keep the documents beside it; raises Unavailable."""
    dataset = developed.dataset
    for split, digest in dataset.content.items():
        if context := _CONTEXTS.get(split):
            run.dataset(f"{dataset.name}-{split}", digest, context)
    # MLflow shows a base in the same list, which is the only edge from a run to what it consumed.
    run.dataset(f"base-{developed.base.name}", developed.base.digest, "base")
    run.tag(lineage_tags(developed, adapter, provenance, parent))
    for name, digest in _documents(provenance).items():
        run.text(name, store.get_bytes(digest).decode())


def _documents(provenance: Provenance) -> dict[str, str]:
    return {
        "provenance.json": provenance.statement,
        "mlbom.cdx.json": provenance.mlbom,
        # Of the process that trained, which may be an earlier one than this run's.
        "training-environment.json": provenance.environment,
    }
