"""What one phase leaves for the next, so that each phase can also be started alone."""

from tasks.records.data import DatasetVersion, PromptVersion
from tasks.records.evidence import GateReport
from tasks.records.model import BaseModelVersion, SecurityRequirements
from tasks.records.record import Digest, Record
from tasks.records.release import Candidate


class Developed(Record):
    """What develop leaves for fine-tune."""

    dataset: DatasetVersion
    prompt: PromptVersion
    base: BaseModelVersion
    requirements: SecurityRequirements


class Validated(Record):
    """What validate leaves for deploy: a candidate, its evidence in the store, and the verdict."""

    candidate: Candidate
    evidence: Digest
    report: GateReport
    run_id: str
