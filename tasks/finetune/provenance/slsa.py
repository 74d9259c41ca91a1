"""SLSA provenance v1 in an in-toto Statement v1: which adapter, from what, by whom, when.

made = provenance_statement(facts)
check_statement(made)            # TrainingError unless in-toto's own schemas accept it

Specifications: slsa.dev/spec/v1.0/provenance, in-toto/attestation v1. It is what SLSA calls Build L1: the
provenance exists and is complete; it is signed later, by the key of the installation that trained.
"""

from collections.abc import Mapping
from typing import Any

from infra.digest import digest_json, hex_of
from infra.errors import DataError, TrainingError
from infra.origin import slsa
from infra.origin.slsa import adapter_subjects
from infra.signing.attestations import PROVENANCE_TYPE
from infra.signing.dsse import statement
from tasks.finetune.provenance.facts import Facts

BUILD_TYPE = "urn:assay:buildtype:finetune:v1"
_HINT = "this is a fault in tasks/finetune/provenance: nothing was handed on"


def provenance_statement(facts: Facts) -> dict[str, Any]:
    """The unsigned statement; the same facts give the same bytes."""
    return statement(
        adapter_subjects(facts.adapter.digest, facts.adapter_files), PROVENANCE_TYPE, _predicate(facts)
    )


def check_statement(content: Mapping[str, Any]) -> None:
    """Raises TrainingError unless it is complete and fits in-toto's published schemas, which are closed."""
    try:
        slsa.check_statement(content)
    except DataError as error:
        raise TrainingError(error.message, hint=_HINT) from error


def _predicate(facts: Facts) -> dict[str, Any]:
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": _external(facts),
            "internalParameters": _internal(facts),
            "resolvedDependencies": _dependencies(facts),
        },
        "runDetails": {
            "builder": {"id": facts.builder, "version": dict(facts.versions)},
            "metadata": {
                "invocationId": facts.environment.run,
                "startedOn": facts.started,
                "finishedOn": facts.finished,
            },
            "byproducts": _byproducts(facts),
        },
    }


def _external(facts: Facts) -> dict[str, Any]:
    """What a person chose."""
    project = facts.project
    return {
        "flow": "finetune",
        "project": project.name,
        "profile": project.profile,
        "configuration": {"sha256": hex_of(project.digest)},
        "training": {"sha256": hex_of(facts.adapter.settings)},
        "seeds": {"training": project.training.seed, "split": project.data.split.seed},
    }


def _internal(facts: Facts) -> dict[str, Any]:
    """What the builder added."""
    adapter, environment = facts.adapter, facts.environment
    return {
        "python": environment.python,
        "versions": environment.versions,
        "packages": {"sha256": hex_of(environment.packages)},
        "hardware": {
            "platform": environment.platform,
            "cpus": environment.limits.affinity,
            "threads": environment.limits.threads,
        },
        "backend": adapter.backend,
        "engine": adapter.engine,
        "steps": adapter.steps,
        "rowsSeen": adapter.rows_seen,
        "resumedFromStep": adapter.resumed_from_step,
    }


def _dependencies(facts: Facts) -> list[dict[str, Any]]:
    developed, environment = facts.developed, facts.environment
    base, dataset = developed.base, developed.dataset
    found = [
        _resource("base", base.digest, name=base.name, source=base.source, licence=base.licence),
        _resource(
            "dataset", dataset.digest, name=dataset.name, source=dataset.source, licence=dataset.licence
        ),
        *(
            _resource(
                f"dataset/{split}",
                dataset.splits[split],
                content=dataset.content[split],
                rows=dataset.rows[split],
            )
            for split in sorted(dataset.splits)
        ),
        _resource("prompt", developed.prompt.digest),
        _resource("requirements", developed.requirements.digest),
    ]
    code = _resource("code", facts.adapter.code, dirty=environment.dirty)
    if environment.commit != "unknown":
        code["digest"]["gitCommit"] = environment.commit
    found.append(code)
    if environment.lock is not None:
        found.append(_resource("requirements.lock", environment.lock))
    return found


def _byproducts(facts: Facts) -> list[dict[str, Any]]:
    adapter = facts.adapter
    attested = digest_json(facts.environment.model_dump(mode="json"))
    losses = _resource("losses", digest_json(list(adapter.losses)), final=adapter.final_loss)
    return [
        {"name": "mlflow-run", "uri": f"runs:/{adapter.run_id}"},
        losses,
        _resource("environment", attested),
    ]


def _resource(label: str, digest: str, /, **annotations: object) -> dict[str, Any]:
    """A resource descriptor; annotations without a value are left out."""
    resource: dict[str, Any] = {"name": label, "digest": {"sha256": hex_of(digest)}}
    if known := {key: value for key, value in annotations.items() if value is not None}:
        resource["annotations"] = known
    return resource
