"""What one phase leaves for the next, so that each phase can also be started alone."""

from pydantic import Field

from tasks.records.data import DatasetVersion
from tasks.records.evidence import Evidence, GateReport
from tasks.records.examples import ExampleSet
from tasks.records.model import BaseModelVersion
from tasks.records.prompt import PromptVersion
from tasks.records.provenance import Provenance
from tasks.records.record import Digest, Record
from tasks.records.release import Candidate
from tasks.records.requirements import SecurityRequirements
from tasks.records.training import TrainedAdapter


class Developed(Record):
    """What develop leaves for fine-tune."""

    dataset: DatasetVersion
    prompt: PromptVersion
    base: BaseModelVersion
    requirements: SecurityRequirements
    examples: ExampleSet | None = None
    evidence: tuple[Evidence, ...] = ()
    run_id: str = Field("", description="MLflow run of develop; empty: not known")


class FineTuned(Record):
    """What fine-tune leaves for validate: the adapter, where it comes from, what was measured on the way."""

    adapter: TrainedAdapter
    provenance: Provenance
    evidence: tuple[Evidence, ...]


class Validated(Record):
    """What validate leaves for deploy: a candidate, its evidence in the store, and the verdict."""

    candidate: Candidate
    evidence: Digest
    report: GateReport
    run_id: str
    started_by: str = Field("", description="account that started the validation; empty: not known")
