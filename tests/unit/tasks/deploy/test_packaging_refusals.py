"""Nothing is packaged unless the verdict is pass, for exactly this unit and these bytes."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from infra.digest import digest_bytes
from infra.errors import AssayError, IntegrityError, PromotionDenied
from infra.signing import create_key
from infra.store import FileStore
from tasks.deploy.packaging import ReleaseFiles, check_may_package, find_release, package_release
from tasks.records import GateReport, Verdict, Waiver
from tests.signed import signer_of, trust_of
from tests.unit.tasks.deploy.samples import Sample, make_evidence, make_report, make_sample

OTHER = digest_bytes(b"other")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    scratch = tmp_path_factory.mktemp("sample")
    return make_sample(FileStore(scratch / "store"), scratch)


def refuse(sample: Sample, error: type[AssayError], match: str, tmp_path: Path) -> None:
    releases, keys = tmp_path / "releases", create_key(tmp_path / "keys")
    with pytest.raises(error, match=match):
        package_release(
            sample.candidate,
            sample.report,
            store=FileStore(tmp_path / "store"),
            releases_dir=releases,
            files=sample.files,
            sequence=1,
            signer=signer_of(keys),
            trust=trust_of(keys),
            evidence=sample.evidence,
        )
    assert not releases.exists()


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.INCONCLUSIVE])
def test_a_verdict_other_than_pass_is_refused(sample: Sample, tmp_path: Path, verdict: Verdict) -> None:
    report = make_report(sample.candidate.unit, sample.evidence, verdict)
    refuse(replace(sample, report=report), PromotionDenied, f"verdict is {verdict}: accuracy-floor", tmp_path)


def test_a_report_without_results_is_refused(sample: Sample, tmp_path: Path) -> None:
    empty = sample.report.model_dump() | {"results": (), "verdict": Verdict.INCONCLUSIVE}
    refuse(replace(sample, report=GateReport(**empty)), PromotionDenied, "inconclusive", tmp_path)
    forged = sample.report.model_copy(update={"results": ()})  # around the record's own check
    refuse_again = replace(sample, report=forged)
    with pytest.raises(PromotionDenied, match="verdict is pass"):
        check_may_package(
            refuse_again.candidate, refuse_again.report, refuse_again.evidence, refuse_again.files
        )


def test_a_verdict_that_rests_on_a_lapsed_waiver_is_refused(sample: Sample, tmp_path: Path) -> None:
    waiver = Waiver(
        candidate=sample.candidate.unit,
        gate="accuracy-floor",
        owner="ada",
        reason="few rows",
        expires=date(2020, 1, 1),
    )
    waived = sample.report.results[0].model_copy(update={"verdict": Verdict.INCONCLUSIVE, "waiver": waiver})
    report = sample.report.model_copy(update={"results": (waived, *sample.report.results[1:])})
    assert GateReport.model_validate(report.model_dump()).verdict == Verdict.PASS
    expected = "ada's waiver for accuracy-floor expired on 2020-01-01"
    refuse(replace(sample, report=report), PromotionDenied, expected, tmp_path)


def test_a_report_about_another_unit_is_refused(sample: Sample, tmp_path: Path) -> None:
    evidence = make_evidence(OTHER)
    other = replace(sample, report=make_report(OTHER, evidence), evidence=evidence)
    refuse(other, PromotionDenied, "the gate report is about unit", tmp_path)


def test_evidence_that_was_not_judged_is_refused(sample: Sample, tmp_path: Path) -> None:
    better = sample.evidence.model_copy(update={"seconds": 1.0})
    refuse(replace(sample, evidence=better), IntegrityError, "not the one that the gate report", tmp_path)


def test_other_requirements_are_refused(sample: Sample, tmp_path: Path) -> None:
    report = sample.report.model_copy(update={"requirements": OTHER})
    refuse(replace(sample, report=report), IntegrityError, "other security requirements", tmp_path)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"guard_yaml": b"rules: [] \n"}, "guard policy"),
        ({"access_yaml": b""}, "access policy"),
        ({"prompt": {"name": "other"}}, "prompt"),
    ],
)
def test_files_that_the_candidate_does_not_name_are_refused(
    sample: Sample, tmp_path: Path, change: dict[str, object], part: str
) -> None:
    whole = {
        "prompt": sample.files.prompt,
        "guard_yaml": sample.files.guard_yaml,
        "access_yaml": sample.files.access_yaml,
    }
    files = ReleaseFiles(**{**whole, **change})  # type: ignore[arg-type]  # names and types from the table
    refuse(replace(sample, files=files), IntegrityError, f"{part}: got sha256:", tmp_path)


def test_a_candidate_without_provenance_is_refused(sample: Sample, tmp_path: Path) -> None:
    unproven = sample.candidate.model_copy(update={"provenance": None})
    refuse(replace(sample, candidate=unproven), IntegrityError, "no provenance", tmp_path)


def test_the_provenance_of_another_adapter_is_refused(sample: Sample, tmp_path: Path) -> None:
    assert sample.candidate.provenance is not None
    foreign = sample.candidate.provenance.model_copy(update={"adapter": OTHER})
    other = sample.candidate.model_copy(update={"provenance": foreign})
    refuse(replace(sample, candidate=other), IntegrityError, "the provenance is about adapter", tmp_path)


def test_nothing_is_found_where_nothing_is(tmp_path: Path, sample: Sample) -> None:
    trust = trust_of(create_key(tmp_path / "keys"))
    for directory in (tmp_path / "absent", tmp_path):
        assert find_release(directory, sample.candidate.unit, OTHER, trust=trust) is None
