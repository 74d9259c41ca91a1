"""What is gathered for a card from a real store, ledger and signed champion."""

from pathlib import Path

import pytest

from infra.digest import digest_bytes, hex_of
from infra.errors import IntegrityError
from infra.ledger import Kind
from infra.signing import KeyPair, ensure_key
from infra.signing.rotation import rotate_key, void_key
from infra.workspace import Workspace, open_workspace
from tasks.deploy.card.candidate import leave_card
from tasks.deploy.card.content import read_card
from tasks.deploy.card.gather import gather_facts
from tasks.deploy.packaging import package_release
from tasks.records import EvidenceSet, Release, Validated, Verdict
from tests.signed import signer_of, trust_of
from tests.unit.tasks.deploy.card.samples import fairness_of, redteam_of
from tests.unit.tasks.deploy.samples import Sample, make_report, make_sample


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    return open_workspace("default", "embedded")


@pytest.fixture
def key(workspace: Workspace) -> KeyPair:
    return ensure_key(workspace.home)


@pytest.fixture
def sample(workspace: Workspace, tmp_path: Path) -> Sample:
    return make_sample(workspace.store, tmp_path)


def with_details(workspace: Workspace, sample: Sample) -> EvidenceSet:
    """The sample's evidence, with reports and item results behind it."""
    details = [
        workspace.store.put_bytes(redteam_of().model_dump_json().encode()),
        workspace.store.put_bytes(fairness_of().model_dump_json().encode()),
        workspace.store.put_bytes(b'{"predicted": "impact"}\n{"predicted": "impact"}\n'),
    ]
    items = zip(sample.evidence.evidence, details, strict=True)
    evidence = tuple(item.model_copy(update={"details": digest}) for item, digest in items)
    return sample.evidence.model_copy(update={"evidence": evidence})


def crown(workspace: Workspace, key: KeyPair, sample: Sample, evidence: EvidenceSet) -> Release:
    """Package the sample and make it champion."""
    release = package_release(
        sample.candidate,
        make_report(sample.candidate.unit, evidence),
        store=workspace.store,
        releases_dir=workspace.releases,
        files=sample.files,
        sequence=1,
        signer=signer_of(key),
        trust=trust_of(key),
        evidence=evidence,
    )
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION):
        workspace.ledger.append(
            kind, project=workspace.project.name, subject=release.digest, actor="test", reason=f"{kind}"
        )
    return release


def test_reports_are_found_behind_the_evidence_whatever_else_lies_there(
    workspace: Workspace, sample: Sample
) -> None:
    facts = gather_facts(workspace, sample.candidate, with_details(workspace, sample), signer="")
    assert facts.redteam == (redteam_of(),)
    assert facts.fairness == fairness_of()
    assert facts.champion is None


def test_a_report_that_was_altered_in_the_store_is_refused(workspace: Workspace, sample: Sample) -> None:
    evidence = with_details(workspace, sample)
    digest = evidence.evidence[0].details
    assert digest is not None
    path = workspace.store.path_of(digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b'"hits":0', b'"hits":1', 1))
    with pytest.raises(IntegrityError, match="altered"):
        gather_facts(workspace, sample.candidate, evidence, signer="")


def test_the_champion_tells_what_it_was_made_from(
    workspace: Workspace, key: KeyPair, sample: Sample, tmp_path: Path
) -> None:
    evidence = with_details(workspace, sample)
    release = crown(workspace, key, sample, evidence)
    other = make_sample(workspace.store, tmp_path, value=2.0)
    facts = gather_facts(workspace, other.candidate, other.evidence, signer=key.key_id)
    champion = facts.champion
    assert champion is not None
    assert (champion.release, champion.unit) == (release.digest, sample.candidate.unit)
    assert champion.evidence == evidence
    assert champion.redteam == (redteam_of(),)
    # Rows, versions and commit are told by the champion's signed provenance, not by its card.
    made = champion.made_from
    assert made.rows == dict(sample.candidate.dataset.rows)
    assert made.versions["torch"] == "2.13.0+cpu"
    assert made.commit.startswith("348e3a4")
    assert made.prompt_definition == sample.candidate.prompt.definition
    assert [event.kind for event in facts.history] == [
        "candidate", "awaiting-approval", "approved", "champion",
    ]  # fmt: skip


def test_a_champion_with_altered_evidence_is_refused(
    workspace: Workspace, key: KeyPair, sample: Sample
) -> None:
    release = crown(workspace, key, sample, sample.evidence)
    file = Path(release.directory) / "evidence.json"
    file.chmod(0o600)
    file.write_bytes(file.read_bytes().replace(b"0.873", b"0.973"))
    with pytest.raises(IntegrityError, match=r"evidence\.json"):
        gather_facts(workspace, sample.candidate, sample.evidence, signer="")


def test_provenance_signed_by_another_key_tells_nothing(
    workspace: Workspace, key: KeyPair, sample: Sample
) -> None:
    release = crown(workspace, key, sample, sample.evidence)
    bundle = Path(release.directory) / "attestations" / "provenance.sigstore.json"
    bundle.chmod(0o600)
    bundle.write_bytes(bundle.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(IntegrityError, match=r"provenance\.sigstore\.json"):
        gather_facts(workspace, sample.candidate, sample.evidence, signer="")


def test_a_blocked_candidate_leaves_page_and_json(workspace: Workspace, sample: Sample) -> None:
    unit = sample.candidate.unit
    validated = Validated(
        candidate=sample.candidate,
        evidence=workspace.store.put_bytes(sample.evidence.model_dump_json().encode()),
        report=make_report(unit, sample.evidence, Verdict.FAIL),
        run_id="run",
    )
    workspace.ledger.append(
        Kind.BLOCKED, project=workspace.project.name, subject=unit, actor="validate", reason="a gate fails"
    )
    card, page = leave_card(workspace, validated)
    assert page == workspace.home / "reports" / "cards" / f"{hex_of(unit)[:12]}.html"
    text = page.read_text(encoding="utf-8")
    assert "FAIL: a gate fails" in text
    assert "a gate fails</td>" in text  # the block itself is in the history
    assert "none: only a candidate that passes is signed" in text
    assert read_card(page.with_suffix(".json").read_bytes()) == card
    assert page.stat().st_mode & 0o077 == 0
    # Again: replaced, nothing left beside it.
    leave_card(workspace, validated)
    assert sorted(each.name for each in page.parent.iterdir()) == [
        page.with_suffix(".html").name,
        page.with_suffix(".json").name,
    ]


def test_evidence_that_is_not_in_the_store_makes_no_card(workspace: Workspace, sample: Sample) -> None:
    validated = Validated(
        candidate=sample.candidate, evidence=digest_bytes(b"gone"), report=sample.report, run_id="run"
    )
    with pytest.raises(IntegrityError, match="store has no object"):
        leave_card(workspace, validated)
    assert not (workspace.home / "reports").exists()


def test_a_champion_whose_key_is_void_is_still_what_would_be_replaced(
    workspace: Workspace, key: KeyPair, sample: Sample, tmp_path: Path
) -> None:
    release = crown(workspace, key, sample, sample.evidence)
    void_key(workspace.home, rotate_key(workspace.home).old)
    workspace.checkpoints.restart(workspace.ledger.entries())
    other = make_sample(workspace.store, tmp_path, value=2.0)
    champion = gather_facts(workspace, other.candidate, other.evidence, signer="").champion
    assert champion is not None
    assert (champion.release, champion.evidence) == (release.digest, sample.evidence)
    assert champion.made_from.rows == {}
