"""An adapter's run shows its data, its base, its parent and its documents in a real MLflow server."""

import json
from pathlib import Path

from infra.store import FileStore
from infra.tracking import Tracking
from infra.tracking.client import open_client
from tasks.finetune.provenance import track_lineage
from tests.unit.tasks.deploy.samples import make_candidate, store_adapter, store_base
from tests.unit.tasks.finetune.provenance.samples import developed_of, with_provenance


def test_the_run_of_an_adapter_tells_its_lineage(server: str, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "store")
    candidate = make_candidate(store_base(store, tmp_path), store_adapter(store, tmp_path))
    proven = with_provenance(store, candidate)
    assert proven.provenance is not None
    tracking = Tracking(server)
    with tracking.phase("lineage", "develop", {}) as parent, tracking.phase("lineage", "finetune", {}) as run:
        for _ in range(2):  # a run that goes on after a kill logs again
            track_lineage(
                run,
                store,
                developed_of(candidate),
                candidate.adapter,
                proven.provenance,
                parent=parent.id,
            )
    client = open_client(server)
    kept = client.get_run(run.id)
    assert kept.data.tags["mlflow.parentRunId"] == parent.id
    assert kept.data.tags["adapter.sha256"] == candidate.adapter.digest
    inputs = {
        (each.dataset.name, json.loads(each.dataset.source)["sha256"]) for each in kept.inputs.dataset_inputs
    }
    assert inputs == {
        ("attack-stix-train", candidate.dataset.content["train"]),
        ("attack-stix-validation", candidate.dataset.content["validation"]),
        ("base-tiny-135m", candidate.base.digest),
    }
    file = client.download_artifacts(run.id, "mlbom.cdx.json", str(tmp_path))
    assert Path(file).read_bytes() == store.get_bytes(proven.provenance.mlbom)
    names = {each.path for each in client.list_artifacts(run.id)}
    assert {"provenance.json", "mlbom.cdx.json", "training-environment.json"} <= names
