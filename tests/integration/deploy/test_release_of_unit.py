"""Which release a unit already is: the same again, unless it would be asked for on a lapsed waiver."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from infra.config import load_project
from infra.digest import hex_of
from infra.errors import IntegrityError
from infra.ledger import Kind, Ledger
from infra.signing import ensure_key
from infra.signing.rotation import rotate_key, void_key
from infra.store import FileStore
from infra.workspace import Workspace
from tasks.deploy.card import CardFacts
from tasks.deploy.steps import release_of_unit
from tasks.records import GateReport, Verdict, Waiver
from tests.signed import POLICY, signer_of, trust_of
from tests.unit.tasks.deploy.samples import Sample, make_sample, package

TODAY = datetime.now(UTC).date()
TOMORROW = TODAY + timedelta(days=1)


def waived(sample: Sample) -> Sample:
    """The same candidate, its first gate inconclusive and answered for until today."""
    unit, gate = sample.candidate.unit, sample.report.results[0].gate
    waiver = Waiver(candidate=unit, gate=gate, owner="ada", reason="few rows", expires=TODAY)
    first = sample.report.results[0].model_copy(
        update={"verdict": Verdict.INCONCLUSIVE, "waiver": waiver, "got": None}
    )
    results = (first, *sample.report.results[1:])
    report = GateReport.model_validate({**sample.report.model_dump(), "results": results})
    return replace(sample, report=report)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    project = load_project(environ={"ASSAY_HOME": str(tmp_path / "home")})
    return Workspace("default", project, FileStore(tmp_path / "store"), Ledger(project.ledger_url))


def entered(workspace: Workspace, sample: Sample, *kinds: Kind) -> str:
    """Package the candidate and enter it into the ledger; returns the release."""
    keys = ensure_key(workspace.home)
    release = package(
        sample,
        store=workspace.store,
        releases_dir=workspace.releases,
        signer=signer_of(keys),
        trust=trust_of(keys),
        facts=CardFacts(title="Incident triage", approval="auto", losses=((1, 2.5), (2, 1.0))),
    )
    name = workspace.project.name
    for kind in kinds:
        details = {"unit": sample.candidate.unit}
        workspace.ledger.append(
            kind, project=name, subject=release.digest, actor="x", reason="test", details=details
        )
    return release.digest


def found(workspace: Workspace, sample: Sample, at: date = TODAY) -> str | None:
    release = release_of_unit(workspace, sample.candidate.unit, at)
    return release.digest if release else None


def test_an_expired_request_is_not_renewed_on_a_lapsed_waiver(workspace: Workspace, tmp_path: Path) -> None:
    sample = waived(make_sample(workspace.store, tmp_path))
    release = entered(workspace, sample, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.EXPIRED)
    assert found(workspace, sample) == release
    assert found(workspace, sample, TOMORROW) is None


@pytest.mark.parametrize("last", [Kind.REJECTED, Kind.APPROVED])
def test_what_was_decided_stays_decided(workspace: Workspace, tmp_path: Path, last: Kind) -> None:
    sample = waived(make_sample(workspace.store, tmp_path))
    release = entered(workspace, sample, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, last)
    assert found(workspace, sample, TOMORROW) == release


def test_without_waivers_the_same_unit_is_the_same_release(workspace: Workspace, tmp_path: Path) -> None:
    sample = make_sample(workspace.store, tmp_path)
    release = entered(workspace, sample, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.EXPIRED)
    assert found(workspace, sample, TOMORROW) == release


@pytest.mark.parametrize(
    ("last", "again"), [(Kind.EXPIRED, True), (Kind.APPROVED, True), (Kind.REJECTED, False)]
)
def test_under_another_trust_policy_a_unit_is_packaged_again_unless_it_was_rejected(
    workspace: Workspace, tmp_path: Path, last: Kind, again: bool
) -> None:
    sample = make_sample(workspace.store, tmp_path)
    release = entered(workspace, sample, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, last)
    stricter = tmp_path / "trust.yaml"
    stricter.write_text(yaml.safe_dump(yaml.safe_load(POLICY.read_text()) | {"max_age_days": 30}))
    project = workspace.project.model_copy(update={"trust": stricter})
    assert found(replace(workspace, project=project), sample) == (None if again else release)


@pytest.mark.parametrize(
    ("last", "again"),
    [
        ((Kind.EXPIRED,), True),
        ((Kind.APPROVED,), True),
        ((Kind.APPROVED, Kind.CHAMPION), True),
        ((Kind.REJECTED,), False),
        ((Kind.QUARANTINED,), False),
    ],
)
def test_a_unit_whose_signer_counts_no_more_is_packaged_again_unless_it_was_refused(
    workspace: Workspace, tmp_path: Path, last: tuple[Kind, ...], again: bool
) -> None:
    sample = make_sample(workspace.store, tmp_path)
    release = entered(workspace, sample, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, *last)
    void_key(workspace.home, rotate_key(workspace.home).old)
    assert found(workspace, sample) == (None if again else release)
    assert entered(workspace, sample) != release


def test_an_altered_release_is_no_outdated_one(workspace: Workspace, tmp_path: Path) -> None:
    sample = make_sample(workspace.store, tmp_path)
    release = entered(workspace, sample, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.REJECTED)
    manifest = workspace.releases / hex_of(release) / "release.json"
    manifest.chmod(0o600)
    manifest.write_bytes(manifest.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match="the ledger says"):
        found(workspace, sample)
