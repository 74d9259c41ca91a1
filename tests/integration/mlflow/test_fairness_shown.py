"""The fairness page beside the run of validate, in a real MLflow server."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.errors import IntegrityError
from infra.statistics.intervals import wilson
from infra.tracking import Tracking
from infra.tracking.client import open_client
from infra.workspace import Workspace, open_workspace
from tasks.records import Evidence, EvidenceSet
from tasks.records.fairness import FairnessReport
from tasks.validate import steps
from tasks.validate.fairness.page import fairness_page
from tests.unit.tasks.deploy.card.samples import fairness_of
from tests.unit.tasks.deploy.samples import SOME


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return open_workspace()


@pytest.fixture
def details(workspace: Workspace) -> str:
    return workspace.store.put_bytes(fairness_of().model_dump_json().encode())


def measured(metric: str, details: str | None) -> EvidenceSet:
    item = Evidence.of(metric, wilson(1, 60), {"candidate": SOME}, details=details)
    return EvidenceSet(candidate=SOME, evidence=(item,), seconds=1)


def logged(server: str, workspace: Workspace, evidence: EvidenceSet, into: Path) -> dict[str, str]:
    """What lies beside the run afterwards, by name."""
    step: Any = steps.show_fairness
    with Tracking(server).phase("fairness", "validate", {}) as run:
        step.fn(workspace, run, evidence)
    client = open_client(server)
    names = [each.path for each in client.list_artifacts(run.id)]
    return {
        name: Path(client.download_artifacts(run.id, name, str(into))).read_text("utf-8") for name in names
    }


def test_an_altered_report_is_not_shown(
    server: str, workspace: Workspace, details: str, tmp_path: Path
) -> None:
    file = workspace.store.path_of(details)
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"Nigerian", b"Egyptian"))
    with pytest.raises(IntegrityError, match="altered"):
        logged(server, workspace, measured("counterfactual_flips", details), tmp_path)


@pytest.mark.parametrize("metric", ["counterfactual_flips", "accuracy"])
def test_where_fairness_was_not_measured_nothing_is_shown(
    server: str, workspace: Workspace, details: str, tmp_path: Path, metric: str
) -> None:
    other = None if metric == "counterfactual_flips" else details
    assert logged(server, workspace, measured(metric, other), tmp_path) == {}


def test_the_report_is_beside_the_run_as_page_and_document(
    server: str, workspace: Workspace, details: str, tmp_path: Path
) -> None:
    shown = logged(server, workspace, measured("counterfactual_flips", details), tmp_path)
    assert set(shown) == {"fairness.html", "fairness.json"}
    assert FairnessReport.model_validate(json.loads(shown["fairness.json"])) == fairness_of()
    assert shown["fairness.html"] == fairness_page(fairness_of())
