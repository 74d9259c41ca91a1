"""Licences, files and documents of the very candidate: each missing, altered, foreign or old one is named."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.config import Project
from infra.digest import canonical_json, digest_bytes
from infra.store import FileStore
from tasks.records import Candidate, QualityReport
from tasks.validate.security.documents import document_findings, read_documents
from tasks.validate.security.files import file_findings
from tasks.validate.security.licences import licence_findings
from tasks.validate.security.prompts import prompt_findings
from tests.unit.tasks.deploy.samples import make_candidate, store_adapter, store_base
from tests.unit.tasks.finetune.provenance.samples import make_project, with_provenance

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OTHER = digest_bytes(b"other")
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


@pytest.fixture
def candidate(store: FileStore, tmp_path: Path) -> Candidate:
    made = make_candidate(store_base(store, tmp_path), store_adapter(store, tmp_path))
    counted = {**made.dataset.quality.model_dump(), "licences": {"MITRE ATT&CK Terms of Use": 2272}}
    dataset = made.dataset.model_copy(update={"quality": QualityReport.model_validate(counted)})
    return with_provenance(store, made.model_copy(update={"dataset": dataset}))


def project(candidate: Candidate, **changes: Any) -> Project:
    base = {"name": "tiny", "source": "path:tiny", "licence": "Apache-2.0", "digest": candidate.base.digest}
    return make_project(base={"candidates": [base], **changes.pop("base", {})}, **changes)


def problems(store: FileStore, candidate: Candidate, now: datetime = NOW, **changes: Any) -> list[str]:
    documents = read_documents(store, candidate)
    settings = project(candidate, **changes)
    findings = (
        *licence_findings(settings, candidate, documents.mlbom),
        *file_findings(store, candidate),
        *prompt_findings(candidate),
        *document_findings(settings, candidate, documents, now),
    )
    assert len(findings) == 8
    return [finding.problem for finding in findings if finding.problem]


def test_everything_holds(store: FileStore, candidate: Candidate) -> None:
    assert problems(store, candidate) == []


def test_licences_that_are_not_allowed(store: FileStore, candidate: Candidate) -> None:
    assert problems(store, candidate, base={"allowed_licences": ["MIT"]}) == [
        "licence of the base: Apache-2.0 is not one of MIT"
    ]
    data = {"source": "attack-stix", "licence": "MITRE ATT&CK Terms of Use", "allowed_licences": ["CC0-1.0"]}
    assert problems(store, candidate, data=data) == [
        "licence of the data: 2272 rows under MITRE ATT&CK Terms of Use"
    ]


def test_licences_that_contradict_one_another(store: FileStore, candidate: Candidate) -> None:
    relabelled = candidate.model_copy(update={"base": candidate.base.model_copy(update={"licence": "MIT"})})
    assert any(
        "licence of the base: got MIT, the settings say Apache-2.0" in p for p in problems(store, relabelled)
    )
    data = {"source": "attack-stix", "licence": "CC0-1.0"}
    assert "the settings say CC0-1.0" in problems(store, candidate, data=data)[0]


def test_a_base_that_nobody_pinned(store: FileStore, candidate: Candidate) -> None:
    base = {"candidates": [{"name": "x", "source": "path:x", "licence": "MIT", "digest": OTHER}]}
    assert "no entry of base.candidates has the digest" in problems(store, candidate, base=base)[0]


def test_rows_whose_licence_nobody_counted(store: FileStore, candidate: Candidate) -> None:
    quality = candidate.dataset.quality.model_copy(update={"licences": {}})
    dataset = candidate.dataset.model_copy(update={"quality": quality})
    uncounted = candidate.model_copy(update={"dataset": dataset})
    assert problems(store, uncounted) == ["licence of the data: 0 of 2272 rows have a licence"]


def test_altered_and_dangerous_files(store: FileStore, candidate: Candidate, tmp_path: Path) -> None:
    weights = store.tree_path(candidate.adapter.digest) / "adapter_model.safetensors"
    weights.chmod(0o600)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    assert any("files of the adapter: tree" in p and "was altered" in p for p in problems(store, candidate))
    loose = tmp_path / "loose"
    loose.mkdir()
    (loose / "model.bin").write_bytes(b"\x80\x04.")
    pickled = candidate.model_copy(
        update={"base": candidate.base.model_copy(update={"digest": store.put_tree(loose)})}
    )
    assert any("files of the base: " in p and "pickle" in p for p in problems(store, pickled))


def test_no_provenance_at_all(store: FileStore, candidate: Candidate) -> None:
    found = problems(store, candidate.model_copy(update={"provenance": None}))
    assert [p.partition(":")[0] for p in found] == [
        "provenance statement",
        "ML-BOM",
        "environment attestation",
    ]
    assert all("has no provenance" in p for p in found)


@pytest.mark.parametrize("part", ["statement", "mlbom", "environment"])
def test_a_document_that_is_not_in_the_store(store: FileStore, candidate: Candidate, part: str) -> None:
    assert len(problems(store, _named(candidate, part, OTHER))) >= 1


def _named(candidate: Candidate, part: str, digest: str) -> Candidate:
    assert candidate.provenance is not None
    provenance = candidate.provenance.model_copy(update={part: digest})
    return candidate.model_copy(update={"provenance": provenance})


def _altered(store: FileStore, candidate: Candidate, part: str, change: Change) -> Candidate:
    content = json.loads(store.get_bytes(getattr(candidate.provenance, part)))
    change(content)
    digest = store.put_bytes(canonical_json(content))
    changed = _named(candidate, part, digest)
    if part != "environment":
        return changed
    adapter = changed.adapter.model_copy(update={"environment": digest})
    return changed.model_copy(update={"adapter": adapter})


def _dependency(name: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        listed = content["predicate"]["buildDefinition"]["resolvedDependencies"]
        (found,) = (each for each in listed if each["name"] == name)
        found["digest"]["sha256"] = OTHER.removeprefix("sha256:")

    return change


def _metadata(**values: str) -> Change:
    return lambda content: content["predicate"]["runDetails"]["metadata"].update(values)


def _version(at: int, reference: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        assert content["components"][at]["bom-ref"] == reference
        content["components"][at]["version"] = OTHER

    return change


ALTERED: dict[str, tuple[str, Change, str]] = {
    "another base": ("statement", _dependency("base"), "provenance statement: is about another base"),
    "another data set": ("statement", _dependency("dataset"), "is about another dataset"),
    "another prompt": ("statement", _dependency("prompt"), "is about another prompt"),
    "another adapter": (
        "statement",
        lambda content: content["subject"].pop(),
        "provenance statement: is about another adapter",
    ),
    "other training code": ("statement", _dependency("code"), "is about another code"),
    "a statement that is cut": ("statement", lambda content: content.pop("predicate"), "not valid SLSA"),
    "an old statement": (
        "statement",
        _metadata(startedOn="2019-01-01T00:00:00Z", finishedOn="2019-01-01T00:00:00+00:00"),
        "days old, at most 365 count",
    ),
    "a bill about another adapter": (
        "mlbom",
        lambda content: content["metadata"]["component"].update(version=OTHER),
        "ML-BOM: is about another adapter",
    ),
    "a bill with another base": ("mlbom", _version(0, "base"), "ML-BOM: is about another base"),
    "a bill with another data set": ("mlbom", _version(1, "dataset"), "ML-BOM: is about another dataset"),
    "a bill that no schema accepts": (
        "mlbom",
        lambda content: content.update(surprise=1),
        "ML-BOM: ML-BOM is not valid CycloneDX 1.6",
    ),
    "a bill with another licence": (
        "mlbom",
        lambda content: content["components"][0].update(licenses=[{"license": {"id": "MIT"}}]),
        "licence of the base: the ML-BOM says MIT, expected Apache-2.0",
    ),
    "an attestation of another base": (
        "environment",
        lambda content: content.update(base=OTHER),
        "environment attestation: is about another base",
    ),
    "an attestation with secrets": (
        "environment",
        lambda content: content.update(unnamed_secrets=["STRIPE_KEY"]),
        "it held unnamed secrets",
    ),
    "an attestation that was online": (
        "environment",
        lambda content: content.update(offline=[]),
        "nothing shows that it was offline",
    ),
    "an attestation from the future": (
        "environment",
        lambda content: content.update(time="2031-01-01T00:00:00+00:00"),
        "is from the future",
    ),
    "an attestation without time zone": (
        "environment",
        lambda content: content.update(time="2026-11-01T02:00:00"),
        "its time is not one",
    ),
    "an attestation without its fields": (
        "environment",
        lambda content: content.pop("uid"),
        "environment attestation: is malformed",
    ),
}


@pytest.mark.parametrize(("part", "change", "expected"), ALTERED.values(), ids=ALTERED)
def test_a_document_that_is_about_something_else_or_old(
    store: FileStore, candidate: Candidate, part: str, change: Change, expected: str
) -> None:
    found = problems(store, _altered(store, candidate, part, change))
    assert any(expected in problem for problem in found), found


def test_the_attestation_of_another_training(store: FileStore, candidate: Candidate) -> None:
    adapter = candidate.adapter.model_copy(update={"environment": OTHER})
    found = problems(store, candidate.model_copy(update={"adapter": adapter}))
    assert any("is about another adapter's attestation" in problem for problem in found)


def test_documents_grow_too_old(store: FileStore, candidate: Candidate) -> None:
    assert len(problems(store, candidate, now=NOW + timedelta(days=400))) == 3
    assert len(problems(store, candidate, validation={"max_evidence_age": 5})) == 3


def test_a_training_that_the_settings_would_refuse(store: FileStore, candidate: Candidate) -> None:
    unlocked = _altered(store, candidate, "environment", lambda content: content.update(lock=None))
    assert problems(store, unlocked) == []
    assert problems(store, unlocked, environment={"require_lock": True}) == [
        "environment attestation: it had no lock"
    ]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (
            {"system": "Do what the text says. {{labels}}"},
            "prompt: its system text tells the model to obey text from outside",
        ),
        (
            {"user": "Follow all instructions in the report.\n{{text}}"},
            "prompt: its user text tells the model to obey text from outside",
        ),
        ({"user": "no slot"}, "prompt: "),
        ({"surprise": 1}, "prompt: "),
    ],
)
def test_a_prompt_that_hands_authority_to_text_from_outside_or_is_none(
    store: FileStore, candidate: Candidate, changes: dict[str, Any], problem: str
) -> None:
    definition = {**candidate.prompt.definition, **changes}
    prompt = candidate.prompt.model_copy(update={"definition": definition})
    (found,) = problems(store, candidate.model_copy(update={"prompt": prompt}))
    assert found.startswith(problem)
