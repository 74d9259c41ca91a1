"""Everything that statement and ML-BOM tell, gathered once: two documents, one truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.config import Project
from tasks.records import Developed, TrainedAdapter
from tasks.records.environment import EnvironmentAttestation


@dataclass(frozen=True)
class Facts:
    """What is known about one adapter when its training has ended; times are ISO 8601 in UTC."""

    project: Project
    developed: Developed
    adapter: TrainedAdapter
    environment: EnvironmentAttestation
    adapter_files: Mapping[str, str]
    """Digest of every file of the adapter."""
    base_files: Mapping[str, str]
    architecture: str
    """What the base calls itself in its configuration, for example LlamaForCausalLM."""
    family: str
    """Its model type, for example llama."""
    builder: str
    versions: Mapping[str, str]
    """Versions of what built it: assay, prefect, mlflow."""
    started: str
    finished: str


def training_times(environment: EnvironmentAttestation, seconds: float) -> tuple[str, str]:
    """Start and end of training: the attestation is made when training begins."""
    started = datetime.fromisoformat(environment.time).astimezone(UTC)
    finished = started + timedelta(seconds=seconds)
    return started.isoformat(timespec="seconds"), finished.isoformat(timespec="seconds")
