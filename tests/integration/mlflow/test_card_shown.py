"""Cards where people look: artefacts of a real MLflow run and of a real Prefect flow run."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.testing.utilities import prefect_test_harness

from flows.cards import show_candidate, show_release
from flows.phase import Phase
from infra.digest import digest_bytes
from infra.errors import Unavailable
from infra.stack import Endpoints
from infra.tracking import PhaseRun, Tracking
from infra.workspace import Workspace, open_workspace
from tasks.deploy.card import card_json, card_page
from tasks.deploy.card.modelcard import model_card
from tasks.records import Release, Validated, Verdict
from tests.unit.tasks.deploy.card.samples import passing_card
from tests.unit.tasks.deploy.samples import SOME, make_report, make_sample

GONE = digest_bytes(b"gone")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return open_workspace("default", "embedded")


def phase_of(workspace: Workspace, run: object) -> Phase:
    return Phase(workspace, cast(Endpoints, SimpleNamespace()), cast(PhaseRun, run))


def blocked(workspace: Workspace, scratch: Path) -> Validated:
    sample = make_sample(workspace.store, scratch)
    return Validated(
        candidate=sample.candidate,
        evidence=workspace.store.put_bytes(sample.evidence.model_dump_json().encode()),
        report=make_report(sample.candidate.unit, sample.evidence, Verdict.FAIL),
        run_id="run",
    )


def packaged(directory: Path) -> Release:
    """A release directory, as far as its card goes."""
    card = passing_card()
    (directory / "card.html").write_text(card_page(card), encoding="utf-8")
    (directory / "card.json").write_bytes(card_json(card))
    (directory / "MODEL_CARD.md").write_text(model_card(card), encoding="utf-8")
    return Release(digest=SOME, project="triage", unit=card.unit, sequence=7, directory=str(directory))


def markdown_of(key: str) -> str:
    with get_client(sync_client=True) as client:
        found = [each for each in client.read_artifacts() if each.key == key]
    assert found
    return str(found[0].data)


def test_cards_of_a_blocked_candidate_and_of_a_release_are_seen(
    workspace: Workspace, server: str, tmp_path: Path
) -> None:
    from mlflow import MlflowClient

    validated, release = blocked(workspace, tmp_path), packaged(tmp_path)
    places: list[str] = []

    @flow
    def judged(run: PhaseRun) -> None:
        places.append(show_candidate(phase_of(workspace, run), validated))

    @flow
    def released(run: PhaseRun) -> None:
        show_release(phase_of(workspace, run), release)

    with prefect_test_harness(server_startup_timeout=300):
        with Tracking(server).phase("triage", "validate", {}) as run:
            judged(run)
            first = run.id
        shown = markdown_of("card-triage")
        with Tracking(server).phase("triage", "deploy", {}) as run:
            released(run)
            second = run.id
    assert Path(places[0]).is_file()
    assert "FAIL: a gate fails" in shown
    assert "data:image/svg+xml;base64," in shown
    client = MlflowClient(tracking_uri=server)
    names = {each.path for each in client.list_artifacts(first)}
    assert names == {"card.html", "card.json"}
    logged = Path(client.download_artifacts(first, "card.html", str(tmp_path)))
    assert logged.read_bytes() == Path(places[0]).read_bytes()
    assert {each.path for each in client.list_artifacts(second)} == {
        "card.html",
        "card.json",
        "MODEL_CARD.md",
    }


class Silent:
    """An MLflow that does not answer."""

    def text(self, name: str, text: str) -> None:
        raise Unavailable("MLflow does not answer")


def test_a_verdict_stands_without_its_card(workspace: Workspace, tmp_path: Path) -> None:
    validated = blocked(workspace, tmp_path)
    place = show_candidate(phase_of(workspace, Silent()), validated)
    assert place.endswith(".html (shown nowhere else: MLflow does not answer)")
    assert Path(place.partition(" (")[0]).is_file()
    for evidence, reason in (
        (GONE, "none: store has no object"),
        (SOME, "none: ValidationError: 1 "),
    ):
        odd = validated.model_copy(update={"evidence": evidence})
        assert show_candidate(phase_of(workspace, Silent()), odd).startswith(reason)
