"""Candidate, release, rollout: what deploy hands on."""

from pydantic import Field

from tasks.records.data import DatasetVersion
from tasks.records.model import BaseModelVersion
from tasks.records.prompt import PromptVersion
from tasks.records.provenance import Provenance
from tasks.records.record import Digest, Record
from tasks.records.requirements import SecurityRequirements
from tasks.records.training import TrainedAdapter


class Candidate(Record):
    """The whole served unit before it is packaged: everything that changes an answer, by digest."""

    project: str
    base: BaseModelVersion
    adapter: TrainedAdapter
    prompt: PromptVersion
    dataset: DatasetVersion
    requirements: SecurityRequirements
    provenance: Provenance | None = Field(
        None, description="how the adapter came to be; None is not packaged"
    )
    guard: Digest = Field(description="guard policy")
    access: Digest = Field(description="access policy")
    config: Digest = Field(description="resolved configuration")
    unit: Digest = Field(description="digest over base, adapter, prompt, guard and access: what is served")


class Release(Record):
    """A packaged and signed release directory."""

    digest: Digest = Field(description="digest of release.json: the release's id")
    project: str
    unit: Digest
    sequence: int = Field(ge=1)
    directory: str


class Rollout(Record):
    """What the gateway serves after a rollout."""

    release: Digest
    generation: int = Field(ge=1)
    previous: Digest | None = None
    gateway: str


class Containment(Record):
    """What became of a release that was put into quarantine, and what serves now."""

    release: Digest
    champion: Digest | None = Field(description="what serves now; None: nothing does")
    not_restored: str = Field("", description="why the release before it does not serve again")
    alike: tuple[Digest, ...] = Field((), description="releases of the same unit, in quarantine with it")
