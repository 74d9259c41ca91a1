"""A trained adapter with an attested environment, as fine-tune would hand it on."""

from infra.config import Project
from infra.digest import digest_bytes
from infra.store import FileStore
from tasks.finetune.environment import store_attestation
from tasks.finetune.provenance import make_provenance
from tasks.records import Candidate, Developed, TrainedAdapter
from tasks.records.environment import EnvironmentAttestation, Limits

SOME = digest_bytes(b"some")


def make_project(**changes: object) -> Project:
    values = {
        "name": "triage",
        "title": "Incident triage",
        "data": {"source": "attack-stix", "licence": "MITRE ATT&CK Terms of Use"},
        "base": {"candidates": [{"name": "tiny", "source": "path:tiny", "licence": "MIT", "digest": SOME}]},
    }
    return Project.model_validate(values | changes)


def make_attestation(base: str, **changes: object) -> EnvironmentAttestation:
    values = {
        "time": "2026-11-01T02:00:00+00:00",
        "run": "flow-run",
        "offline": ("HF_HUB_OFFLINE", "huggingface_hub"),
        "base": base,
        "base_files": 2,
        "python": "CPython 3.11.7",
        "platform": "linux x86_64",
        "packages": SOME,
        "versions": {"torch": "2.13.0+cpu", "transformers": "5.23.0"},
        "lock": SOME,
        "commit": "348e3a43fb45d782f1a641b25580496c0da68b2a",
        "dirty": False,
        "user": "ada",
        "uid": 1000,
        "limits": Limits(affinity=2, threads=2),
    }
    return EnvironmentAttestation.model_validate(values | changes)


def developed_of(candidate: Candidate) -> Developed:
    return Developed(
        dataset=candidate.dataset,
        prompt=candidate.prompt,
        base=candidate.base,
        requirements=candidate.requirements,
    )


def attested(store: FileStore, candidate: Candidate, **changes: object) -> TrainedAdapter:
    """The candidate's adapter with an attested environment."""
    attestation = make_attestation(str(changes.pop("base", candidate.base.digest)), **changes)
    return candidate.adapter.model_copy(update={"environment": store_attestation(store, attestation)})


def with_provenance(store: FileStore, candidate: Candidate) -> Candidate:
    """The candidate with its origin proven; its requirements are the bytes `some`."""
    store.put_bytes(b"some")
    adapter = attested(store, candidate)
    provenance = make_provenance(store, make_project(), developed_of(candidate), adapter)
    return candidate.model_copy(update={"adapter": adapter, "provenance": provenance})
