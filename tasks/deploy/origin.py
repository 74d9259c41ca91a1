"""What is proven about an adapter's origin, taken from the store and held against the candidate.

origin = load_origin(candidate, store)       # IntegrityError unless it is all there and about this adapter
"""

from dataclasses import dataclass
from typing import Any

from infra.digest import tree_manifest
from infra.errors import IntegrityError
from infra.origin.mlbom import described_version
from infra.origin.slsa import adapter_subjects, dependency_of
from infra.signing.attestations import PROVENANCE_TYPE
from infra.signing.documents import parse_object
from infra.signing.dsse import subjects_of
from infra.store import FileStore
from tasks.records import Candidate
from tasks.records.environment import EnvironmentAttestation
from tasks.records.provenance import Provenance

_HINT = "run finetune and validate again"
_MOST_BYTES = 8 << 20


@dataclass(frozen=True)
class Origin:
    """The documents that a release carries about where its adapter comes from."""

    statement: dict[str, Any]
    """in-toto statement with SLSA provenance, unsigned."""
    environment: dict[str, Any]
    mlbom: bytes
    requirements: bytes


def load_origin(candidate: Candidate, store: FileStore) -> Origin:
    """The documents that the candidate names; raises IntegrityError for one that is about anything else."""
    provenance = require_provenance(candidate)
    statement = parse_object(
        store.get_bytes(provenance.statement), "provenance statement", most_bytes=_MOST_BYTES
    )
    environment = store.get_bytes(provenance.environment)
    attested = EnvironmentAttestation.model_validate_json(environment)
    mlbom = store.get_bytes(provenance.mlbom)
    described = parse_object(mlbom, "ML-BOM", most_bytes=_MOST_BYTES)
    files = tree_manifest(store.open_tree(candidate.adapter.digest))
    subjects = adapter_subjects(candidate.adapter.digest, files)
    about = (
        ("provenance statement: subject", subjects_of(statement, "provenance statement"), subjects),
        ("provenance statement: type", statement.get("predicateType"), PROVENANCE_TYPE),
        ("provenance statement: base", dependency_of(statement, "base"), candidate.base.digest),
        ("provenance statement: dataset", dependency_of(statement, "dataset"), candidate.dataset.digest),
        ("provenance statement: prompt", dependency_of(statement, "prompt"), candidate.prompt.digest),
        ("environment attestation: base", attested.base, candidate.base.digest),
        ("ML-BOM: component", described_version(described), candidate.adapter.digest),
    )
    for name, got, expected in about:
        if got != expected:
            raise IntegrityError(f"{name}: got {got}, the candidate names {expected}", hint=_HINT)
    return Origin(
        statement=statement,
        environment=attested.model_dump(mode="json"),
        mlbom=mlbom,
        requirements=store.get_bytes(candidate.requirements.digest),
    )


def require_provenance(candidate: Candidate) -> Provenance:
    """The candidate's provenance; raises IntegrityError when it has none, or another adapter's."""
    provenance = candidate.provenance
    if provenance is None:
        raise IntegrityError("the candidate has no provenance: nobody can say how it was made", hint=_HINT)
    if provenance.adapter != candidate.adapter.digest:
        raise IntegrityError(
            f"the provenance is about adapter {provenance.adapter}, not {candidate.adapter.digest}",
            hint=_HINT,
        )
    return provenance
