"""Documents that are incomplete, invalid or about something else are never handed on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.digest import digest_bytes
from infra.errors import IntegrityError, TrainingError
from infra.store import FileStore
from tasks.finetune.provenance import make_provenance
from tasks.finetune.provenance.lineage import lineage_tags
from tasks.finetune.provenance.make import check_portable
from tasks.finetune.provenance.mlbom import check_ml_bom
from tasks.finetune.provenance.slsa import check_statement
from tasks.records import Candidate, TrainedAdapter
from tasks.records.environment import EnvironmentAttestation
from tasks.records.provenance import Provenance
from tasks.records.training import ValidationScore
from tests.unit.tasks.deploy.samples import make_candidate, store_adapter, store_base
from tests.unit.tasks.finetune.provenance.samples import (
    attested,
    developed_of,
    make_attestation,
    make_project,
)

OTHER = digest_bytes(b"other")


Documents = tuple[dict[str, Any], dict[str, Any]]
"""Statement and ML-BOM."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FileStore:
    return FileStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def candidate(store: FileStore, tmp_path_factory: pytest.TempPathFactory) -> Candidate:
    scratch = tmp_path_factory.mktemp("scratch")
    return make_candidate(store_base(store, scratch), store_adapter(store, scratch))


@pytest.fixture(scope="module")
def made(store: FileStore, candidate: Candidate) -> Provenance:
    return make(store, candidate)


@pytest.fixture
def documents(store: FileStore, made: Provenance) -> Documents:
    return json.loads(store.get_bytes(made.statement)), json.loads(store.get_bytes(made.mlbom))


def make(store: FileStore, candidate: Candidate, adapter: TrainedAdapter | None = None) -> Provenance:
    return make_provenance(
        store, make_project(), developed_of(candidate), adapter or attested(store, candidate)
    )


@pytest.mark.parametrize("part", ["base", "dataset", "prompt"])
def test_an_adapter_of_something_else_is_refused(store: FileStore, candidate: Candidate, part: str) -> None:
    adapter = attested(store, candidate).model_copy(update={part: OTHER})
    with pytest.raises(TrainingError, match=f"provenance: {part}: got {OTHER}"):
        make(store, candidate, adapter)


def test_an_attestation_about_another_base_is_refused(store: FileStore, candidate: Candidate) -> None:
    with pytest.raises(TrainingError, match="base in the environment attestation"):
        make(store, candidate, attested(store, candidate, base=OTHER))


def test_an_environment_that_nobody_attested_is_refused(store: FileStore, candidate: Candidate) -> None:
    with pytest.raises(TrainingError, match="nobody attested"):
        make(store, candidate, candidate.adapter)


def test_a_run_without_an_id_is_refused(store: FileStore, candidate: Candidate) -> None:
    with pytest.raises(TrainingError, match="no id"):
        make(store, candidate, attested(store, candidate, run=""))


def test_an_adapter_that_is_not_in_the_store_is_refused(store: FileStore, candidate: Candidate) -> None:
    with pytest.raises(IntegrityError, match="store has no tree"):
        make(store, candidate, attested(store, candidate).model_copy(update={"digest": OTHER}))


@pytest.mark.parametrize(
    "config",
    [
        {"base_model_name_or_path": "/home/ada/model"},
        {"base_model_name_or_path": "~/model"},
        {"extra": {"paths": ["file:///x"]}},
        {"auto_mapping": {"a": "C:\\models"}},
    ],
)
def test_an_adapter_that_tells_of_a_machine_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    with pytest.raises(TrainingError, match="path of a machine"):
        check_portable(tmp_path)
    (tmp_path / "adapter_config.json").write_text(
        '{"base_model_name_or_path": null, "r": 16, "a": ["q_proj"]}'
    )
    check_portable(tmp_path)


STATEMENT_FAULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "other type": lambda d: d.update(predicateType="https://slsa.dev/provenance/v0.2"),
    "unknown field": lambda d: d["predicate"].update(more=1),
    "unknown field of the statement": lambda d: d.update(more=1),
    "no subject": lambda d: d.update(subject=[]),
    "no digest": lambda d: d["subject"][0].update(digest={}),
    "no builder": lambda d: d["predicate"]["runDetails"].pop("builder"),
    "no start": lambda d: d["predicate"]["runDetails"]["metadata"].pop("startedOn"),
    "no time": lambda d: d["predicate"]["runDetails"]["metadata"].update(startedOn="yesterday"),
    "no base": lambda d: d["predicate"]["buildDefinition"]["resolvedDependencies"].pop(0),
    "no digest of the base": lambda d: d["predicate"]["buildDefinition"]["resolvedDependencies"][0].pop(
        "digest"
    ),
}


@pytest.mark.parametrize("fault", STATEMENT_FAULTS)
def test_an_invalid_statement_is_refused(documents: Documents, fault: str) -> None:
    statement, _ = documents
    check_statement(statement)
    STATEMENT_FAULTS[fault](statement)
    with pytest.raises(TrainingError, match="provenance"):
        check_statement(statement)


@pytest.mark.parametrize(
    "fault",
    [
        lambda d: d.update(more=1),
        lambda d: d["metadata"]["component"]["modelCard"].update(accuracy=0.9),
        lambda d: d["metadata"]["component"].update(type="model"),
        lambda d: d["components"][0]["components"][0]["hashes"][0].update(content="short"),
        lambda d: d.update(serialNumber="1"),
    ],
)
def test_an_invalid_ml_bom_is_refused(
    documents: Documents, fault: Callable[[dict[str, Any]], object]
) -> None:
    _, bom = documents
    fault(bom)
    with pytest.raises(TrainingError, match="ML-BOM is not valid"):
        check_ml_bom(bom)


def test_the_same_inputs_give_the_same_documents(
    store: FileStore, candidate: Candidate, made: Provenance
) -> None:
    first = made
    assert make(store, candidate) == first
    later = make(store, candidate, attested(store, candidate, uid=7))
    assert later.environment != first.environment
    assert later.statement != first.statement


def test_the_statement_names_everything_that_went_in(documents: Documents) -> None:
    statement, _ = documents
    predicate = statement["predicate"]
    names = [each["name"] for each in predicate["buildDefinition"]["resolvedDependencies"]]
    assert names == [
        "base",
        "dataset",
        "dataset/test",
        "dataset/train",
        "dataset/validation",
        "prompt",
        "requirements",
        "code",
        "requirements.lock",
    ]
    metadata = predicate["runDetails"]["metadata"]
    assert metadata == {
        "invocationId": "flow-run",
        "startedOn": "2026-11-01T02:00:00+00:00",
        "finishedOn": "2026-11-01T02:01:28+00:00",
    }
    code = predicate["buildDefinition"]["resolvedDependencies"][7]
    assert code["digest"]["gitCommit"] == "348e3a43fb45d782f1a641b25580496c0da68b2a"


def test_an_unknown_commit_is_left_out(store: FileStore, candidate: Candidate) -> None:
    outside = attested(store, candidate, commit="unknown", dirty=None, lock=None)
    statement = json.loads(store.get_bytes(make(store, candidate, outside).statement))
    code = statement["predicate"]["buildDefinition"]["resolvedDependencies"][-1]
    assert code == {"name": "code", "digest": {"sha256": candidate.adapter.code.removeprefix("sha256:")}}


def test_the_ml_bom_tells_licences_and_hashes(documents: Documents) -> None:
    _, bom = documents
    base, dataset = bom["components"][:2]
    assert base["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert dataset["licenses"] == [{"license": {"name": "MITRE ATT&CK Terms of Use"}}]
    assert dataset["copyright"] == "© MITRE"
    assert {each["name"] for each in base["components"]} == {"config.json", "model.safetensors"}
    card = bom["metadata"]["component"]["modelCard"]
    assert card["modelParameters"]["architectureFamily"] == "llama"
    assert {each["ref"] for each in card["modelParameters"]["datasets"]} == {
        each["bom-ref"] for each in dataset["data"]
    }


def test_lineage_names_base_data_and_parent(candidate: Candidate, made: Provenance) -> None:
    tags = lineage_tags(developed_of(candidate), candidate.adapter, made, "develop-run")
    assert tags["mlflow.parentRunId"] == "develop-run"
    assert tags["base.sha256"] == candidate.base.digest
    alone = lineage_tags(developed_of(candidate), candidate.adapter, made, None)
    assert "mlflow.parentRunId" not in alone


def test_the_attestation_survives_the_store(store: FileStore, candidate: Candidate, made: Provenance) -> None:
    kept = EnvironmentAttestation.model_validate_json(store.get_bytes(made.environment))
    assert kept == make_attestation(candidate.base.digest)


def test_the_model_card_tells_the_validation_of_the_step_that_was_kept(
    store: FileStore, candidate: Candidate
) -> None:
    scores = (
        ValidationScore(step=10, accuracy=0.8, loss=0.5),
        ValidationScore(step=20, accuracy=0.7, loss=0.6),
    )
    adapter = attested(store, candidate).model_copy(update={"validations": scores, "best_step": 10})
    bom = json.loads(store.get_bytes(make(store, candidate, adapter).mlbom))
    metrics = bom["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "accuracy", "value": "0.8", "slice": "validation"} in metrics
