"""CycloneDX 1.6 ML-BOM with a model card: what is inside an adapter, under which licences.

document = ml_bom(facts)
check_ml_bom(document)           # TrainingError unless CycloneDX's own strict schema accepts it

Specification: cyclonedx.org/docs/1.6/json. The library has no model card among its classes, so the document
is built here and validated there.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from infra.digest import digest_json, hex_of
from infra.errors import DataError, TrainingError
from infra.origin import mlbom
from tasks.finetune.provenance.facts import Facts
from tasks.finetune.provenance.modelcard import model_card

_SERIALS = uuid.uuid5(uuid.NAMESPACE_URL, "urn:assay:mlbom")


def ml_bom(facts: Facts) -> dict[str, Any]:
    """The document; the same facts give the same bytes."""
    content = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": facts.finished,
            "lifecycles": [{"phase": "build"}],
            "tools": {
                "components": [
                    {"type": "application", "name": name, "version": version}
                    for name, version in sorted(facts.versions.items())
                ]
            },
            "component": _adapter(facts),
        },
        "components": [_base(facts), _dataset(facts), _prompt(facts), *_libraries(facts)],
        "dependencies": [
            {"ref": "adapter", "dependsOn": ["base", "dataset", "prompt", *_library_refs(facts)]},
            *({"ref": ref} for ref in ("base", "dataset", "prompt", *_library_refs(facts))),
        ],
    }
    serial = uuid.uuid5(_SERIALS, digest_json(content))
    return {"serialNumber": serial.urn, **content}


def check_ml_bom(document: Mapping[str, Any]) -> None:
    """Raises TrainingError unless the strict JSON schema of CycloneDX 1.6 accepts the document."""
    try:
        mlbom.check_ml_bom(document)
    except DataError as error:
        hint = "this is a fault in tasks/finetune/provenance: nothing was handed on"
        raise TrainingError(error.message, hint=hint) from error


def _adapter(facts: Facts) -> dict[str, Any]:
    adapter, project, base = facts.adapter, facts.project, facts.developed.base
    return {
        "type": "machine-learning-model",
        "bom-ref": "adapter",
        "name": project.name,
        "version": adapter.digest,
        "description": project.description or project.title,
        # Weights derived from the base stand under its licence.
        "licenses": _licence(base.licence),
        "components": _files("adapter", facts.adapter_files),
        "pedigree": {
            "ancestors": [
                {
                    "type": "machine-learning-model",
                    "name": base.name,
                    "version": base.digest,
                    "licenses": _licence(base.licence),
                }
            ],
            "notes": f"LoRA adapter of {base.name}; the base's weights are unchanged.",
        },
        "externalReferences": [
            {"type": "attestation", "url": "attestations/provenance.sigstore.json"},
            {"type": "quality-metrics", "url": "gate-report.json"},
        ],
        "modelCard": model_card(facts),
        "properties": _properties(
            {
                "adapter": adapter.digest,
                "settings": adapter.settings,
                "code": adapter.code,
                "git.commit": facts.environment.commit,
                "git.dirty": facts.environment.dirty,
                "configuration": project.digest,
                "mlflow.run": adapter.run_id,
                "prefect.flow_run": facts.environment.run,
                "requirements": facts.developed.requirements.digest,
            }
        ),
    }


def _base(facts: Facts) -> dict[str, Any]:
    base = facts.developed.base
    return {
        "type": "machine-learning-model",
        "bom-ref": "base",
        "name": base.name,
        "version": base.digest,
        "licenses": _licence(base.licence),
        "components": _files("base", facts.base_files),
        "properties": _properties(
            {"source": base.source, "parameters": base.parameters, "bytes": base.bytes, "digest": base.digest}
        ),
    }


def _dataset(facts: Facts) -> dict[str, Any]:
    dataset = facts.developed.dataset
    made = {
        "type": "data",
        "bom-ref": "dataset",
        "name": dataset.name,
        "version": dataset.digest,
        "licenses": _licence(dataset.licence),
        "data": [
            {
                "type": "dataset",
                "bom-ref": f"dataset-{split}",
                "name": f"{dataset.name}-{split}",
                "description": f"{dataset.rows[split]} rows, {len(dataset.labels)} labels",
                "classification": "public" if dataset.source.startswith("package") else "internal",
                "governance": {"owners": [{"organization": {"name": dataset.source}}]},
                "contents": {
                    "properties": _properties(
                        {
                            "rows": dataset.rows[split],
                            "content": dataset.content[split],
                            "parquet": dataset.splits[split],
                            "licence": dataset.licence,
                        }
                    )
                },
            }
            for split in sorted(dataset.splits)
        ],
        "properties": _properties({"source": dataset.source, "labels": ", ".join(dataset.labels)}),
    }
    return {**made, "copyright": dataset.notice} if dataset.notice else made


def _prompt(facts: Facts) -> dict[str, Any]:
    prompt = facts.developed.prompt
    return {
        "type": "data",
        "bom-ref": "prompt",
        "name": prompt.name,
        "version": prompt.digest,
        "hashes": [{"alg": "SHA-256", "content": hex_of(prompt.digest)}],
        "data": [{"type": "configuration", "name": f"prompt {prompt.name}"}],
    }


def _libraries(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version.replace('+', '%2B')}",
        }
        for name, version in sorted(facts.environment.versions.items())
    ]


def _library_refs(facts: Facts) -> list[str]:
    return [f"pkg:pypi/{name}@{version}" for name, version in sorted(facts.environment.versions.items())]


def _files(owner: str, files: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "type": "file",
            "bom-ref": f"{owner}/{name}",
            "name": name,
            "hashes": [{"alg": "SHA-256", "content": hex_of(digest)}],
        }
        for name, digest in sorted(files.items())
    ]


def _licence(name: str) -> list[dict[str, Any]]:
    """By SPDX id where there is one, by name otherwise."""
    from cyclonedx.spdx import is_supported_id

    return [{"license": {"id" if is_supported_id(name) else "name": name}}]


def _properties(values: Mapping[str, object]) -> list[dict[str, str]]:
    return [
        {"name": f"assay:{key}", "value": str(value)} for key, value in values.items() if value is not None
    ]
